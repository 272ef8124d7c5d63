import type { SeenRequest } from '../seen.ts';
import { OpenWork } from './open-work.ts';
import { PrefixMemory } from './prefix-memory.ts';
import { cheapest, type Rival } from './rival.ts';

// NVIDIA Dynamo's cost: prefill blocks (what is pending on the node and this prompt, less what it has cached) plus the
// blocks of all that is active there, this request included; least wins, at temperature 0. Prefill load is cleared at the
// first token. Without events from the engines, which HTTP has not, generated tokens are not counted as active blocks, and
// it remembers its own routing for 120 s.

const BLOCK = 16;
const REMEMBERED_MS = 120_000;

export function dynamo(random: () => number): Rival {
  const prefixes = new PrefixMemory(Infinity, REMEMBERED_MS);
  const work = new OpenWork();
  const uncached = (node: number, request: SeenRequest, now: number): number =>
    Math.max(0, request.promptTokens - prefixes.matched(node, request, now));
  return {
    choose(request, nodes, now) {
      return cheapest(
        nodes,
        ({ index }) => {
          const prefill = (work.pending(index) + uncached(index, request, now)) / BLOCK;
          const active = (work.context(index) + request.promptTokens) / BLOCK;
          return prefill + active;
        },
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
