import { mix } from '../mix.ts';
import type { Policy } from './policy.ts';

// The less loaded of two drawn at random (Mitzenmacher, "The power of two choices"): stays good when counts are stale or when
// several routers choose for themselves. Here counts are exact, so it is the choice for replicas.

export const powerOfTwo: Policy = (open, { counts, draw }) => {
  const at = mix(draw, 0) % open.length;
  const a = open[at] ?? open[0];
  if (open.length === 1) return a;
  // A second draw from the others: shift by 1 to n-1 places.
  const b = open[(at + 1 + (mix(draw, 1) % (open.length - 1))) % open.length] ?? a;
  const loadOf = (candidate: typeof a): number => (counts.inFlight(candidate.node) + 0.5) / candidate.slots;
  return loadOf(b) < loadOf(a) ? b : a;
};
