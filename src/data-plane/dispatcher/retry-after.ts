// When to come back, from how fast the waiting room drains. The rate is counted over the last hand-offs (at most 64 of them,
// at most 30 s old), so it follows the fleet as it is now. A refused client is sent away until the room should be half
// empty again, with up to a fifth of jitter, so that a refused wave does not return as one wave.

const KEPT = 64;
const WINDOW_MS = 30_000;
const LEAST_MS = 1_000;

export class DrainRate {
  readonly #handOffs: number[] = [];

  /** A waiter was handed a slot. */
  note(now: number): void {
    this.#handOffs.push(now);
    if (this.#handOffs.length > KEPT) this.#handOffs.shift();
  }

  /** Waiters served per ms; null where none was within the window. */
  perMs(now: number): number | null {
    const recent = this.#handOffs.filter((at) => now - at <= WINDOW_MS);
    const first = recent[0];
    if (first === undefined) return null;
    return recent.length / Math.max(LEAST_MS, now - first);
  }

  /** Ms until `ahead` waiters are gone, with jitter; `unknownMs` where nothing was handed off of late. Never under 1 s. */
  retryAfterMs(ahead: number, now: number, random: () => number, unknownMs: number): number {
    const rate = this.perMs(now);
    const base = rate === null ? unknownMs : Math.max(1, ahead) / rate;
    return Math.max(LEAST_MS, base * (1 + 0.2 * random()));
  }
}
