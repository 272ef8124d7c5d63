// Time, injected. Durations are measured on the monotonic clock and never on the wall clock, which may jump;
// `process.hrtime` is used because, unlike `performance.now()`, it reads the same in every thread of the process.

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start, equal in all threads of this process. */
  now(): number;
  /** Epoch milliseconds, for fields named `…At` only. */
  wall(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. The timer never keeps the process alive. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  wall: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

interface ManualTimer {
  readonly dueAt: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** A clock that stands still until a test or a simulation advances it. Timers fire in order of their due time. */
export class ManualClock implements Clock {
  #now: number;
  readonly #wallOffset: number;
  #sequence = 0;
  #timers: ManualTimer[] = [];

  constructor(startMs = 0, wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
    this.#wallOffset = wallStartMs - startMs;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { dueAt: this.#now + Math.max(0, ms), sequence: this.#sequence++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time forward by `ms`, running every timer that falls due on the way at its own time. */
  advance(ms: number): void {
    const target = this.#now + ms;
    for (;;) {
      let next: ManualTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.dueAt > target) continue;
        if (!next || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.sequence < next.sequence)) {
          next = timer;
        }
      }
      if (!next) break;
      const due = next;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.dueAt);
      due.run();
    }
    this.#now = target;
  }
}
