import type { Job } from './job.ts';
import type { Memory } from './memory.ts';

// Paged memory as vLLM and SGLang keep it: prompts are held by blocks, equal prefixes are held once, and a block that
// nobody uses stays until its room is needed, the longest unused first, the end of a prompt before its beginning. What
// fills no block, and what is generated, is each job's own. Not modelled: fragments of blocks, and copies on write.

/** Share of the memory that is kept free of newcomers, so that those who run can grow (vLLM's watermark). */
const WATERMARK = 0.01;

interface Block {
  users: number;
  computed: boolean;
}

export class BlockMemory implements Memory {
  readonly #capacity: number;
  readonly #shares: boolean;
  readonly #blocks = new Map<number, Block>();
  /** Blocks without a user, the longest unused first. */
  readonly #idle = new Set<number>();
  readonly #held = new Map<Job, { readonly blocks: readonly number[]; own: number }>();
  #blockTokens = 1;
  /** Tokens in blocks that are in use. */
  #used = 0;
  /** Tokens in no block. */
  #own = 0;

  /** With `shares` false prompts are never found again. */
  constructor(capacityTokens: number, shares: boolean) {
    this.#capacity = capacityTokens;
    this.#shares = shares;
  }

  enter(job: Job): number | null {
    const { promptTokens, blockTokens } = job.work;
    const blocks = this.#shares ? job.work.blocks : [];
    this.#blockTokens = blockTokens;
    const total = promptTokens + job.emitted;
    let fresh = 0;
    for (const id of blocks) if ((this.#blocks.get(id)?.users ?? 0) === 0) fresh += blockTokens;
    const own = Math.max(0, total - blocks.length * blockTokens);
    // An empty engine takes even what is too large for it, as far as it fits: engines cut such prompts.
    if (fresh + own + WATERMARK * this.#capacity > this.room() && this.#held.size > 0) return null;
    let cached = 0;
    for (const id of blocks) {
      if (this.#blocks.get(id)?.computed !== true) break;
      cached += blockTokens;
    }
    for (const id of blocks) this.#use(id);
    this.#own += own;
    this.#held.set(job, { blocks, own });
    this.#evict();
    // The last token is always computed: it gives the first of the answer.
    return Math.min(cached, total - 1);
  }

  computed(job: Job): void {
    for (const id of this.#held.get(job)?.blocks ?? []) {
      const block = this.#blocks.get(id);
      if (block) block.computed = true;
    }
  }

  room(): number {
    return this.#capacity - this.#used - this.#own;
  }

  grow(job: Job, tokens: number): void {
    const held = this.#held.get(job);
    if (!held) return;
    held.own += tokens;
    this.#own += tokens;
    this.#evict();
  }

  leave(job: Job, isWhole: boolean): void {
    const held = this.#held.get(job);
    if (!held) return;
    this.#held.delete(job);
    this.#own -= held.own;
    if (isWhole && this.#shares) {
      for (const id of job.work.answerBlocks.toReversed()) this.#keep(id);
    }
    for (const id of held.blocks.toReversed()) this.#unuse(id);
    this.#evict();
  }

  use(): number {
    return Math.min(1, (this.#used + this.#own) / this.#capacity);
  }

  clear(): void {
    this.#blocks.clear();
    this.#idle.clear();
    this.#held.clear();
    this.#used = 0;
    this.#own = 0;
  }

  #use(id: number): void {
    const block = this.#blocks.get(id);
    if (!block) this.#blocks.set(id, { users: 1, computed: false });
    else {
      block.users += 1;
      if (block.users > 1) return;
      this.#idle.delete(id);
    }
    this.#used += this.#blockTokens;
  }

  #unuse(id: number): void {
    const block = this.#blocks.get(id);
    if (!block) return;
    block.users -= 1;
    if (block.users > 0) return;
    this.#used -= this.#blockTokens;
    if (block.computed) this.#idle.add(id);
    else this.#blocks.delete(id);
  }

  #keep(id: number): void {
    const block = this.#blocks.get(id);
    if (block) {
      block.computed = true;
      return;
    }
    this.#blocks.set(id, { users: 0, computed: true });
    this.#idle.add(id);
  }

  #evict(): void {
    const room = this.room();
    while (this.#idle.size > 0 && this.#idle.size * this.#blockTokens > room) {
      const [oldest] = this.#idle;
      if (oldest === undefined) return;
      this.#idle.delete(oldest);
      this.#blocks.delete(oldest);
    }
  }
}
