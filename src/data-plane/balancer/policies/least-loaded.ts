import { loadOf, type Candidate } from '../candidate.ts';
import { mix } from '../mix.ts';
import type { Policy } from './policy.ts';

// In flight over slots. The half that `loadOf` adds to the count makes filling an idle fleet an apportionment by Webster's
// method, which keeps every node within one of its proportional share, large and small alike; without it all idle nodes
// tie whatever their size. Ties go by a random order that stands until a lease is taken.

export const leastLoaded: Policy = (open, counts, { draw }) => {
  let best: Candidate | null = null;
  let bestLoad = Infinity;
  let bestRank = Infinity;
  for (const candidate of open) {
    const load = loadOf(candidate, counts);
    if (load > bestLoad) continue;
    const rank = mix(draw, candidate.node);
    if (load === bestLoad && rank >= bestRank) continue;
    best = candidate;
    bestLoad = load;
    bestRank = rank;
  }
  return best;
};
