import { loadOf } from '../candidate.ts';
import { mix } from '../mix.ts';
import type { Policy } from './policy.ts';

// The less loaded of two drawn at random (Mitzenmacher, "The power of two choices"): stays good when counts are stale or when
// several routers choose for themselves. Here counts are exact, so it is the choice for replicas.

export const powerOfTwo: Policy = (open, counts, { draw }) => {
  const at = mix(draw, 0) % open.length;
  const a = open[at];
  if (!a) return null;
  if (open.length === 1) return a;
  // A second draw from the others: shift by 1 to n-1 places.
  const b = open[(at + 1 + (mix(draw, 1) % (open.length - 1))) % open.length] ?? a;
  return loadOf(b, counts) < loadOf(a, counts) ? b : a;
};
