// Time, injected. Durations are measured on the monotonic clock and never on the wall clock, which may jump.
//
// `process.hrtime()` reads the same in every thread of the process but makes an array each time; `performance.now()` makes
// nothing but counts from its own thread's start. Both read CLOCK_MONOTONIC, so their difference is fixed and is added.

const READINGS = 8;

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start, equal in all threads of this process. */
  now(): number;
  /** Epoch milliseconds, for fields named `…At` only. */
  wall(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. The timer never keeps the process alive. */
  after(ms: number, run: () => void): () => void;
}

const threadStartedAt = startOfThread();

export const systemClock: Clock = {
  now: () => threadStartedAt + performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A thread that is put aside between the two readings would live that much in the past: the latest of several start times is the truest. */
function startOfThread(): number {
  let latest = -Infinity;
  for (let reading = 0; reading < READINGS; reading += 1) latest = Math.max(latest, hrtimeMs() - performance.now());
  return latest;
}

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

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
