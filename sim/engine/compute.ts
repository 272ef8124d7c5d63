import type { Clock } from '../../src/lib/clock.ts';

// The engine's arithmetic in time: slots, a FIFO queue in front of them, prompts processed one after the other at a constant rate,
// and continuous batching: every decoding sequence gets one token per step, and a step lasts a + c·batch. A prompt's end gives the
// first token. Steps are chained by their due times, not by when a timer happened to fire, so that a late timer costs no
// throughput and steps far below a timer's resolution are possible.
//
// Left out: prompts do not slow down decoding, no key-value cache fills up, nothing is preempted, no prefix is reused.

export interface Pace {
  readonly slots: number;
  readonly promptTokensPerSecond: number;
  readonly stepMs: number;
  readonly stepPerSequenceMs: number;
  /** Read at each step; 1 is full speed. */
  slowFactor(): number;
}

/** One request to compute. After a cancel nothing more is called. */
export interface Sequence {
  readonly promptTokens: number;
  /** 0: only the prompt is processed, as for embeddings. */
  readonly outputTokens: number;
  /** It got its slot. */
  onStart(): void;
  /** Tokens are counted from 0. */
  onToken(index: number): void;
  /** Its slot is free again. */
  onEnd(): void;
}

// So that sockets are served in between even when the machine is too slow for the pace asked for.
const MOST_STEPS_AT_ONCE = 64;

interface Entry {
  readonly sequence: Sequence;
  emitted: number;
}

export class Compute {
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #freed: () => void;
  #waiting: Entry[] = [];
  readonly #running = new Set<Entry>();
  #prompts: Entry[] = [];
  #stopPrompt: (() => void) | null = null;
  #promptDueAt = -Infinity;
  readonly #decoding = new Set<Entry>();
  #stopStep: (() => void) | null = null;

  /** `freed` is called whenever a slot became free. */
  constructor(pace: Pace, clock: Clock, freed: () => void = nothing) {
    this.#freed = freed;
    this.#pace = pace;
    this.#clock = clock;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a sequence in; the returned function cancels it and frees its slot at once. */
  submit(sequence: Sequence): () => void {
    const entry: Entry = { sequence, emitted: 0 };
    this.#waiting.push(entry);
    this.#fill();
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      if (this.#running.has(entry)) this.#leave(entry);
    };
  }

  /** Forgets everything, without a word to the sequences. */
  stop(): void {
    this.#stopPrompt?.();
    this.#stopStep?.();
    this.#waiting = [];
    this.#prompts = [];
    this.#running.clear();
    this.#decoding.clear();
  }

  #fill(): void {
    while (this.#running.size < this.#pace.slots) {
      const entry = this.#waiting.shift();
      if (!entry) break;
      this.#running.add(entry);
      this.#prompts.push(entry);
      entry.sequence.onStart();
    }
    this.#nextPrompt(this.#clock.now());
  }

  #leave(entry: Entry): void {
    this.#running.delete(entry);
    this.#decoding.delete(entry);
    if (this.#prompts[0] === entry) {
      this.#stopPrompt?.();
      this.#stopPrompt = null;
    }
    this.#prompts = this.#prompts.filter((other) => other !== entry);
    this.#fill();
    this.#freed();
  }

  #finish(entry: Entry): void {
    // Its own end first, so that the answer is complete before the slot's next owner starts.
    entry.sequence.onEnd();
    this.#leave(entry);
  }

  /** Works on the first prompt, if none is being worked on. It stays in the list until it is done. */
  #nextPrompt(from: number): void {
    const entry = this.#prompts[0];
    if (!entry || this.#stopPrompt) return;
    const ms = (entry.sequence.promptTokens / this.#pace.promptTokensPerSecond) * 1000 * this.#pace.slowFactor();
    this.#promptDueAt = from + ms;
    this.#stopPrompt = this.#clock.after(Math.max(0, this.#promptDueAt - this.#clock.now()), () => {
      this.#stopPrompt = null;
      this.#prompts.shift();
      const endedAt = this.#promptDueAt;
      if (entry.sequence.outputTokens === 0) this.#finish(entry);
      else {
        this.#decoding.add(entry);
        this.#emit(entry);
        if (!this.#stopStep) this.#step(endedAt);
      }
      this.#nextPrompt(endedAt);
    });
  }

  #emit(entry: Entry): void {
    entry.sequence.onToken(entry.emitted++);
    if (entry.emitted >= entry.sequence.outputTokens) this.#finish(entry);
  }

  /** Runs the steps from `from` on that are already due, and waits for the next. */
  #step(from: number): void {
    this.#stopStep = nothing;
    let beganAt = from;
    for (let steps = 0; this.#decoding.size > 0; steps += 1) {
      const batch = [...this.#decoding];
      const { stepMs, stepPerSequenceMs } = this.#pace;
      const dueAt = beganAt + (stepMs + stepPerSequenceMs * batch.length) * this.#pace.slowFactor();
      const earlyMs = dueAt - this.#clock.now();
      if (earlyMs > 0 || steps >= MOST_STEPS_AT_ONCE) {
        this.#stopStep = this.#clock.after(Math.max(0, earlyMs), () => {
          this.#endStep(batch);
          this.#step(dueAt);
        });
        return;
      }
      this.#endStep(batch);
      beganAt = dueAt;
    }
    this.#stopStep = null;
  }

  #endStep(batch: readonly Entry[]): void {
    for (const entry of batch) if (this.#decoding.has(entry)) this.#emit(entry);
  }
}

function nothing(): void {
  // Also stands for "a step is under way".
}
