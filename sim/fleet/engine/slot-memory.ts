import type { Job } from './job.ts';
import type { Memory } from './memory.ts';

// Memory cut into slots, as llama.cpp and Ollama have it: each slot keeps the prompt and answer it served last. A request
// goes to the free slot with the longest common prefix, else to the longest unused; the rest of that slot's contents is
// lost. A slot has room for whatever comes.

interface Slot {
  blocks: readonly number[];
  user: Job | null;
  usedAt: number;
}

export class SlotMemory implements Memory {
  readonly #capacity: number;
  #slots: Slot[];
  #uses = 0;

  constructor(capacityTokens: number, slots: number) {
    this.#capacity = capacityTokens;
    this.#slots = Array.from({ length: slots }, () => ({ blocks: [], user: null, usedAt: 0 }));
  }

  enter(job: Job): number | null {
    const { blocks, blockTokens, promptTokens } = job.work;
    let best: Slot | null = null;
    let bestCommon = -1;
    for (const slot of this.#slots) {
      if (slot.user) continue;
      const common = commonPrefix(slot.blocks, blocks);
      if (common < bestCommon || (common === bestCommon && best && slot.usedAt >= best.usedAt)) continue;
      best = slot;
      bestCommon = common;
    }
    if (!best) return null;
    best.user = job;
    best.blocks = blocks.slice(0, bestCommon);
    this.#uses += 1;
    best.usedAt = this.#uses;
    return Math.min(bestCommon * blockTokens, promptTokens + job.emitted - 1);
  }

  computed(job: Job): void {
    const slot = this.#slotOf(job);
    if (slot) slot.blocks = job.work.blocks;
  }

  room(): number {
    return Infinity;
  }

  grow(): void {
    // A slot's room is its own.
  }

  leave(job: Job, isWhole: boolean): void {
    const slot = this.#slotOf(job);
    if (!slot) return;
    slot.user = null;
    if (isWhole) slot.blocks = [...job.work.blocks, ...job.work.answerBlocks];
  }

  use(): number {
    let tokens = 0;
    for (const { user } of this.#slots) tokens += user?.context ?? 0;
    return Math.min(1, tokens / this.#capacity);
  }

  clear(): void {
    for (const slot of this.#slots) {
      slot.blocks = [];
      slot.user = null;
    }
  }

  #slotOf(job: Job): Slot | undefined {
    return this.#slots.find(({ user }) => user === job);
  }
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}
