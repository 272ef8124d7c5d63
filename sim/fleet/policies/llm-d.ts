import { PrefixMemory } from './prefix-memory.ts';
import { cheapest, type Rival } from './rival.ts';

// llm-d's default scorers, the highest sum wins: 3 × the share of the prompt's blocks believed cached, 2 × the queue's
// shortness (1 for the shortest queue of the candidates, 0 for the longest, 1 where all are equal), 2 × (1 − cache use).
// Queue and cache use are the engine's own gauges as last read; a node that shows none is left out of the queue's range and
// scores 0 there. Prefixes are remembered for 31 250 blocks of 16 tokens per node, of the first 256 blocks of a prompt.

const PREFIX = 3;
const QUEUE = 2;
const CACHE = 2;
const REMEMBERED_TOKENS = 31_250 * 16;
const MOST_MATCHED_TOKENS = 256 * 16;

export function llmD(random: () => number): Rival {
  const prefixes = new PrefixMemory(REMEMBERED_TOKENS);
  return {
    choose(request, nodes, now) {
      const queues = nodes.flatMap(({ reading }) => reading?.waiting ?? []);
      const [least, most] = [Math.min(...queues), Math.max(...queues)];
      const whole = Math.max(1, Math.min(request.promptTokens, MOST_MATCHED_TOKENS));
      return cheapest(
        nodes,
        ({ index, reading }) => {
          const matched = Math.min(prefixes.matched(index, request, now), MOST_MATCHED_TOKENS);
          const waiting = reading?.waiting ?? null;
          const shortness = waiting === null ? 0 : most === least ? 1 : (most - waiting) / (most - least);
          const free = reading === null ? 0 : 1 - (reading.cacheUse ?? 0);
          return -(PREFIX * (matched / whole) + QUEUE * shortness + CACHE * free);
        },
        random,
      );
    },
    sent({ node, request, sentAt }) {
      prefixes.insert(node, request, sentAt);
    },
  };
}
