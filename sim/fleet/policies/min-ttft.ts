import type { SeenRequest } from '../seen.ts';
import { OpenWork } from './open-work.ts';
import { PrefixMemory } from './prefix-memory.ts';
import { cheapest, type Rival } from './rival.ts';

// The least predicted time to the first token: Mooncake's rule (time in the queue and of the prefill) with what HTTP shows.
// A node's prompt speed is learned from its answers: uncached tokens of a request and of those before it, over the time to
// its first token; a moving average in the logarithm, 2000 tokens/s until known. Decoding is nothing to it, which is its
// known weakness on engines whose prompts block.

const FIRST_GUESS = 2000;
const NEWEST = 0.1;
const REMEMBERED_TOKENS = 500_000;

export function minTtft(random: () => number): Rival {
  const prefixes = new PrefixMemory(REMEMBERED_TOKENS);
  const work = new OpenWork();
  const speeds = new Map<number, number>();
  /** Tokens between an attempt and its first token when it was sent. */
  const ahead = new WeakMap<object, number>();
  const uncached = (node: number, request: SeenRequest, now: number): number =>
    Math.max(1, request.promptTokens - prefixes.matched(node, request, now));
  return {
    choose(request, nodes, now) {
      return cheapest(
        nodes,
        ({ index }) => (work.pending(index) + uncached(index, request, now)) / (speeds.get(index) ?? FIRST_GUESS),
        random,
      );
    },
    sent(sent) {
      const { node, request, sentAt } = sent;
      const own = uncached(node, request, sentAt);
      ahead.set(sent, work.pending(node) + own);
      work.sent(sent, own);
      prefixes.insert(node, request, sentAt);
    },
    firstToken(sent, now) {
      work.firstToken(sent);
      const tokens = ahead.get(sent) ?? 0;
      if (tokens < 64 || now <= sent.sentAt) return;
      const speed = (1000 * tokens) / (now - sent.sentAt);
      const before = speeds.get(sent.node);
      speeds.set(sent.node, before === undefined ? speed : before * (speed / before) ** NEWEST);
    },
    ended: (sent) => work.ended(sent),
  };
}
