import type { SeenRequest } from '../seen.ts';

// What a router believes each node to have cached: the prompts it sent there, in blocks, the longest unused forgotten
// first. It never hears of evictions in the engine.

export class PrefixMemory {
  readonly #mostTokens: number;
  readonly #maxAgeMs: number;
  /** By node: block → when it was last sent. A Map keeps the order of insertion, so its first is the longest unused. */
  readonly #nodes: Map<number, number>[] = [];

  constructor(mostTokensPerNode: number, maxAgeMs = Infinity) {
    this.#mostTokens = mostTokensPerNode;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Leading tokens of the prompt that the node should have. */
  matched(node: number, { blocks, blockTokens }: SeenRequest, now: number): number {
    const known = this.#nodes[node];
    if (!known) return 0;
    let length = 0;
    for (const block of blocks) {
      const at = known.get(block);
      if (at === undefined || now - at > this.#maxAgeMs) break;
      length += 1;
    }
    return length * blockTokens;
  }

  /** Tokens it is believed to hold. */
  size(node: number, blockTokens: number): number {
    return (this.#nodes[node]?.size ?? 0) * blockTokens;
  }

  insert(node: number, { blocks, blockTokens }: SeenRequest, now: number): void {
    const known = (this.#nodes[node] ??= new Map());
    // From the end, so that the beginning of a prompt is forgotten last.
    for (const block of blocks.toReversed()) {
      known.delete(block);
      known.set(block, now);
    }
    const most = Math.floor(this.#mostTokens / blockTokens);
    for (const oldest of known.keys()) {
      if (known.size <= most) break;
      known.delete(oldest);
    }
  }

  forget(node: number): void {
    this.#nodes[node]?.clear();
  }
}
