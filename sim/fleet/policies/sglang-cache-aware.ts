import { PrefixMemory } from './prefix-memory.ts';
import { cheapest, type Rival } from './rival.ts';
import type { SeenNode } from '../seen.ts';

// SGLang's cache-aware routing: while loads are balanced (the largest number of open requests exceeds the least by at most
// 32, or is at most 1.1 times it), a request goes to the node with the longest matching prefix if more than half of it
// matches, else to the least loaded; while they are not, to the least loaded. Its own comments speak of the smallest tree
// where too little matches; the code of this version takes the least loaded. Trees are cut to 10 000 nodes each 30 s; here
// a bound of 4 million tokens stands for it.

const CACHE_THRESHOLD = 0.5;
const BALANCE_ABSOLUTE = 32;
const BALANCE_RELATIVE = 1.1;
const TREE_TOKENS = 4_000_000;

export function sglangCacheAware(random: () => number): Rival {
  const prefixes = new PrefixMemory(TREE_TOKENS);
  const leastLoaded = (nodes: readonly SeenNode[]): SeenNode | null =>
    cheapest(nodes, ({ inFlight }) => inFlight, random);
  return {
    choose(request, nodes, now) {
      const loads = nodes.map(({ inFlight }) => inFlight);
      const [least, most] = [Math.min(...loads), Math.max(...loads)];
      if (most - least > BALANCE_ABSOLUTE && most > least * BALANCE_RELATIVE) return leastLoaded(nodes);
      const best = cheapest(nodes, ({ index }) => -prefixes.matched(index, request, now), random);
      const matched = best ? prefixes.matched(best.index, request, now) : 0;
      return matched / request.promptTokens > CACHE_THRESHOLD ? best : leastLoaded(nodes);
    },
    sent({ node, request, sentAt }) {
      prefixes.insert(node, request, sentAt);
    },
  };
}
