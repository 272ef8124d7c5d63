import type { SeenRequest } from '../seen.ts';
import { OpenWork } from './open-work.ts';
import { PrefixMemory } from './prefix-memory.ts';
import { cheapest, type Rival } from './rival.ts';

// LMetric: the product of the new prefill tokens (pending on the node and this prompt's uncached ones) and the batch it
// would join; no constants. The paper reads both from its engines; here they are the router's own live books, which is
// kinder to it than polling.

const REMEMBERED_TOKENS = 500_000;

export function lmetric(random: () => number): Rival {
  const prefixes = new PrefixMemory(REMEMBERED_TOKENS);
  const work = new OpenWork();
  const uncached = (node: number, request: SeenRequest, now: number): number =>
    Math.max(1, request.promptTokens - prefixes.matched(node, request, now));
  return {
    choose(request, nodes, now) {
      return cheapest(
        nodes,
        ({ index, inFlight }) => (work.pending(index) + uncached(index, request, now)) * (inFlight + 1),
        random,
      );
    },
    sent(sent) {
      const { node, request, sentAt } = sent;
      work.sent(sent, uncached(node, request, sentAt));
      prefixes.insert(node, request, sentAt);
    },
    firstToken: (sent) => work.firstToken(sent),
    ended: (sent) => work.ended(sent),
  };
}
