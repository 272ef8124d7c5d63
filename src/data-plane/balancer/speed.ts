import type { EngineKind } from '../../fleet/glossary.ts';
import { Trend } from './trend.ts';

// How fast one model is on one node, learned from answers alone: ms per uncached prompt token, ms that any first token takes, ms
// per generated token against how many are generated beside it, and what a change of model costs. Until enough was heard
// the engine's kind says what to expect; a guess that is wrong by a factor of two still orders a mixed fleet better than
// counts do, and five answers make it right.
//
// It does not know queues inside an engine: first tokens that come far later than they should are set aside (`isLate`) unless
// they keep coming late, for then the node itself has become slow.

/** Answers after which what was learned is relied on. */
const TRUSTED_AFTER = 5;
/** The guess counts as so many answers. */
const GUESS_WEIGHT = 2;
const NEWEST = 0.05;
/** A first token is late that takes so many times as long as it should, */
const LATE_TIMES = 3;
/** and so much longer. */
const LATE_MS = 100;
/** Where so large a share of the last dozen is late it is no queue but the node's new speed. */
const LATE_SHARE = 0.5;
const NEWEST_LATE = 0.1;
/** Shorter prompts tell more of the fixed part than of the speed. */
const TELLING_TOKENS = 256;

interface Guess {
  readonly promptMs: number;
  readonly stepMs: number;
}

/** Typical of an 8B model on the machines that such engines run on. */
const guesses: Readonly<Record<EngineKind, Guess>> = {
  vllm: { promptMs: 0.06, stepMs: 10 },
  sglang: { promptMs: 0.06, stepMs: 10 },
  llamacpp: { promptMs: 0.4, stepMs: 20 },
  ollama: { promptMs: 0.4, stepMs: 20 },
  lmstudio: { promptMs: 0.4, stepMs: 20 },
  openai: { promptMs: 0.1, stepMs: 15 },
  anthropic: { promptMs: 0.1, stepMs: 15 },
  google: { promptMs: 0.1, stepMs: 15 },
};

export class Speed {
  readonly #step: Trend;
  #promptMs: number;
  #promptSamples = 0;
  #baseMs: number;
  #baseSamples = 0;
  #switchMs = 0;
  #switchSamples = 0;
  #lateShare = 0;
  #heardAt = -Infinity;

  constructor(engine: EngineKind, slots: number) {
    const { promptMs, stepMs } = guesses[engine];
    this.#promptMs = promptMs;
    this.#baseMs = stepMs;
    // A node is given as many slots as double the time of a token.
    this.#step = new Trend(stepMs, stepMs / slots, slots);
  }

  /** Ms per uncached prompt token. */
  get promptMs(): number {
    return this.#promptMs;
  }

  /** Ms until the first token of a prompt of no length on an idle node. */
  get baseMs(): number {
    return this.#baseMs;
  }

  /** Ms by which one more sequence makes everybody's token later. */
  get stepSlopeMs(): number {
    return this.#step.slope;
  }

  /** Ms per token while so many are generated. */
  stepMs(batch: number): number {
    return this.#step.at(batch);
  }

  /** Ms that a request pays for coming after one for another model. */
  get switchMs(): number {
    return this.#switchMs;
  }

  get isTrusted(): boolean {
    return this.#promptSamples + this.#baseSamples >= TRUSTED_AFTER;
  }

  /** Monotonic ms of the last answer it learned from. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** True where a first token came so late that it must have waited for something unknown. */
  isLate(tookMs: number, expectedMs: number): boolean {
    return this.isTrusted && tookMs > LATE_TIMES * expectedMs + LATE_MS;
  }

  /**
   * A first token came after `tookMs`. `aheadMs` of other prompts had been expected before it, at `promptMs` per token of its own
   * `tokens`.
   */
  firstToken(tookMs: number, { tokens, promptMs, aheadMs }: Sent, now: number): void {
    this.#heardAt = now;
    const workMs = aheadMs + tokens * promptMs;
    const late = this.isLate(tookMs, this.#baseMs + workMs);
    this.#lateShare += NEWEST_LATE * ((late ? 1 : 0) - this.#lateShare);
    if (late && this.#lateShare < LATE_SHARE) return;
    if (workMs >= TELLING_TOKENS * promptMs) {
      const target = (promptMs * Math.max(0.05 * workMs, tookMs - this.#baseMs)) / workMs;
      this.#promptMs *= (target / this.#promptMs) ** gain(this.#promptSamples);
      this.#promptSamples += 1;
    } else {
      const rest = Math.max(0, tookMs - workMs);
      this.#baseMs += gain(this.#baseSamples) * (rest - this.#baseMs);
      this.#baseSamples += 1;
    }
  }

  /** It came after a request for another model, and `tookMs` until its first token. */
  switched(tookMs: number, { tokens, promptMs, aheadMs }: Sent): void {
    const extraMs = Math.max(0, tookMs - aheadMs - tokens * promptMs - this.#baseMs);
    this.#switchMs += gain(this.#switchSamples) * (extraMs - this.#switchMs);
    this.#switchSamples += 1;
  }

  /** Tokens were generated at `msPerToken`, in the mean beside so many others. */
  generated(msPerToken: number, batch: number, now: number): void {
    this.#heardAt = now;
    this.#step.add(batch, msPerToken);
  }
}

/** What a request was sent with. */
export interface Sent {
  /** Prompt tokens believed not to be cached. */
  readonly tokens: number;
  /** Ms per token as believed then. */
  readonly promptMs: number;
  /** Ms of prompts that were there before it. */
  readonly aheadMs: number;
}

function gain(samples: number): number {
  return Math.max(NEWEST, 1 / (samples + 1 + GUESS_WEIGHT));
}
