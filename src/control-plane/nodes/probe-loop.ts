import type { Clock } from '../../lib/clock.ts';

// When one node is probed. Each node has its own loop, so a slow one delays no other, and the jitter keeps a hundred
// loops that began together from staying together. Doubts that requests raise bring the next probe forward, at most
// once in a short while: a failing node under load would else be probed as often as it is asked.

const JITTER_SHARE = 0.2;
const DOUBT_APART_MS = 250;

export interface ProbeLoopOptions {
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly random: () => number;
  /** One probe with its consequences; must not reject for anything that a node does. */
  readonly probe: () => Promise<void>;
  /** Ms until the next probe, before jitter. Asked after each probe. */
  readonly pauseMs: () => number;
}

export class ProbeLoop {
  readonly #options: ProbeLoopOptions;
  #running: Promise<void> | null = null;
  #following: Promise<void> | null = null;
  #cancelTimer: () => void = () => undefined;
  #lastStartAt = -Infinity;
  #nextAt = 0;
  #stopped = false;
  /** Raised during the running probe: ms to the next one. */
  #doubtMs: number | null = null;

  constructor(options: ProbeLoopOptions) {
    this.#options = options;
  }

  /** Monotonic ms of the next probe. */
  get nextAt(): number {
    return this.#nextAt;
  }

  /** Probes first after `delayMs`. */
  start(delayMs: number): void {
    this.#schedule(delayMs);
  }

  /** Resolves when a probe that began after this call has ended. */
  probeNow(): Promise<void> {
    if (!this.#running) return this.#run();
    this.#following ??= this.#running.then(() => {
      this.#following = null;
      return this.#run();
    });
    return this.#following;
  }

  /** Brings the next probe forward, to `leastMs` from now at the soonest. */
  doubt(leastMs = 0): void {
    if (this.#stopped) return;
    const now = this.#options.clock.now();
    const earliest = Math.max(now + leastMs, this.#lastStartAt + DOUBT_APART_MS);
    // A probe under way began before the doubt; the pause after it is cut short below, in `#run`.
    if (this.#running) this.#doubtMs = Math.max(leastMs, DOUBT_APART_MS);
    else if (earliest < this.#nextAt) this.#schedule(earliest - now);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer();
    this.#nextAt = this.#options.clock.now() + delayMs;
    // A probe that throws is a mistake of ours and ends the worker, which is then started anew.
    this.#cancelTimer = this.#options.clock.after(delayMs, () => void this.#run());
  }

  #run(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#cancelTimer();
    this.#lastStartAt = this.#options.clock.now();
    this.#doubtMs = null;
    this.#running = this.#probeOnce();
    return this.#running;
  }

  async #probeOnce(): Promise<void> {
    await this.#options.probe();
    this.#running = null;
    if (this.#stopped) return;
    const { random, pauseMs } = this.#options;
    const jitter = 1 - JITTER_SHARE / 2 + random() * JITTER_SHARE;
    this.#schedule(Math.min(this.#doubtMs ?? Infinity, pauseMs() * jitter));
  }
}
