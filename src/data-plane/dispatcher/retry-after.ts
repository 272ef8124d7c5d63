// When to come back, from how fast slots come free: by Little's law the leases open divided by the mean time that one is held. Before the
// first lease has ended that mean is a guess of 5 s, and at all times it is at least the mean age of those open now, so that a fleet that
// has stopped answering is seen while nothing ends. A refused client is sent away until the room should be half empty again,
// with up to a fifth of jitter, so that a refused wave does not return as one wave. It takes all waiters for alike: a
// model whose own nodes drain slower than the rest is told too early.

const GUESSED_MS = 5_000;
/** Weight of the newest lease in the mean. */
const NEWEST = 0.1;
const LEAST_MS = 1_000;

export class DrainRate {
  #meanMs: number | null = null;
  #open = 0;
  #takenAtSum = 0;

  /** A lease was taken. */
  began(now: number): void {
    this.#open += 1;
    this.#takenAtSum += now;
  }

  /** A lease taken at one time counts from another. */
  restarted(takenAt: number, now: number): void {
    this.#takenAtSum += now - takenAt;
  }

  /** A lease taken at `takenAt` ended; `isTypical` where it served a request, so that its length tells of others. */
  ended(takenAt: number, now: number, isTypical: boolean): void {
    this.#open -= 1;
    this.#takenAtSum = this.#open === 0 ? 0 : this.#takenAtSum - takenAt;
    if (!isTypical) return;
    const heldMs = now - takenAt;
    this.#meanMs = this.#meanMs === null ? heldMs : this.#meanMs + NEWEST * (heldMs - this.#meanMs);
  }

  /** Slots that come free per ms; null where no lease is open. */
  perMs(now: number): number | null {
    if (this.#open === 0) return null;
    const meanAgeMs = now - this.#takenAtSum / this.#open;
    return this.#open / Math.max(1, this.#meanMs ?? GUESSED_MS, meanAgeMs);
  }

  /** Ms until `ahead` waiters are gone, with jitter; 5 s and jitter where nothing runs. Never under 1 s. */
  retryAfterMs(ahead: number, now: number, random: () => number): number {
    const rate = this.perMs(now);
    const base = rate === null ? GUESSED_MS : Math.max(1, ahead) / rate;
    return Math.max(LEAST_MS, base * (1 + 0.2 * random()));
  }
}
