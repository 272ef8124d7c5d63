import type { Prefix } from './candidate.ts';

// Which node should still hold the beginning of which prompt: the blocks of the prompts it was sent, the longest unused forgotten
// first. One map over all nodes, from block to who holds it, so that a look-up walks a prompt once whatever the number of nodes.
// It hears nothing of evictions inside an engine; how far it can be believed is learned from the cached tokens that engines tell of.

/** Tokens remembered of a node. */
const MOST_TOKENS = 500_000;
/** Blocks remembered of all nodes together: some 20 MB. */
const MOST_BLOCKS = 200_000;
/** Blocks of one prompt. */
const MOST_LOOKED_AT = 512;

const nobody: readonly number[] = [];

export class PrefixIndex {
  /** Nodes by block. */
  readonly #holders = new Map<number, number[]>();
  /** By node, oldest first. */
  readonly #blocks: (Set<number> | undefined)[] = [];
  /** Blocks of the prompt last looked up, by node. */
  readonly #depth: number[] = [];
  #lookedUp: Prefix | null = null;
  /** Who has the last block of it that any has. */
  #deepest: readonly number[] = nobody;
  #nodes = 0;

  /** Leading tokens of the prompt that the node should have. */
  tokensOn(node: number, prefix: Prefix): number {
    if (prefix.hashes.length === 0) return 0;
    this.#lookUp(prefix);
    return (this.#depth[node] ?? 0) * prefix.blockTokens;
  }

  /** Nodes that have the last of the prompt's blocks that any has; lent until the next call. */
  holdersOf(prefix: Prefix): readonly number[] {
    if (prefix.hashes.length === 0) return nobody;
    this.#lookUp(prefix);
    return this.#deepest;
  }

  /** The node was sent this prompt. `mostTokens`: what it can remember, where that is known. */
  insert(node: number, { hashes, blockTokens }: Prefix, mostTokens = MOST_TOKENS): void {
    if (hashes.length === 0) return;
    this.#lookedUp = null;
    const blocks = this.#blocksOf(node);
    // From the end, so that the beginning of a prompt is forgotten last.
    for (let at = Math.min(hashes.length, MOST_LOOKED_AT) - 1; at >= 0; at -= 1) {
      const hash = hashes[at] ?? 0;
      if (!blocks.delete(hash)) this.#hold(hash, node);
      blocks.add(hash);
    }
    const most = Math.min(MOST_BLOCKS / this.#nodes, Math.max(mostTokens / blockTokens, hashes.length));
    for (const oldest of blocks) {
      if (blocks.size <= most) break;
      blocks.delete(oldest);
      this.#drop(oldest, node);
    }
  }

  /** The node holds nothing any more. */
  forget(node: number): void {
    const blocks = this.#blocks[node];
    if (!blocks) return;
    this.#lookedUp = null;
    for (const hash of blocks) this.#drop(hash, node);
    this.#blocks[node] = undefined;
    this.#nodes -= 1;
  }

  /** Blocks remembered, over all nodes. */
  get size(): number {
    return this.#blocks.reduce((sum, blocks) => sum + (blocks?.size ?? 0), 0);
  }

  #lookUp(prefix: Prefix): void {
    if (this.#lookedUp === prefix) return;
    this.#lookedUp = prefix;
    this.#depth.fill(0);
    this.#deepest = nobody;
    const { hashes } = prefix;
    for (let at = 0; at < hashes.length && at < MOST_LOOKED_AT; at += 1) {
      const holders = this.#holders.get(hashes[at] ?? 0);
      if (!holders) return;
      let isHeld = false;
      for (const node of holders) {
        if ((this.#depth[node] ?? 0) !== at) continue;
        this.#depth[node] = at + 1;
        isHeld = true;
      }
      if (!isHeld) return;
      this.#deepest = holders;
    }
  }

  #blocksOf(node: number): Set<number> {
    const kept = this.#blocks[node];
    if (kept) return kept;
    const blocks = new Set<number>();
    for (let index = this.#depth.length; index <= node; index += 1) this.#depth.push(0);
    this.#blocks[node] = blocks;
    this.#nodes += 1;
    return blocks;
  }

  #hold(hash: number, node: number): void {
    const holders = this.#holders.get(hash);
    if (holders) holders.push(node);
    else this.#holders.set(hash, [node]);
  }

  #drop(hash: number, node: number): void {
    const holders = this.#holders.get(hash);
    if (!holders) return;
    const at = holders.indexOf(node);
    if (at < 0) return;
    if (holders.length === 1) this.#holders.delete(hash);
    else holders.splice(at, 1);
  }
}
