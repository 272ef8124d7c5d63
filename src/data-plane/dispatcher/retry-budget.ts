// A bucket that retries are paid from (Finagle's idea): every request puts in a fifth of a token, and 10 a second come by
// themselves, so that a fleet in trouble sees at most 20 % more requests plus a trickle, never three times as many.

const PER_REQUEST = 0.2;
const PER_SECOND = 10;
/** Ten seconds of the trickle: what a quiet time can save up. */
const MOST = 100;

export class RetryBudget {
  #tokens = MOST;
  #filledAt: number;

  constructor(now: number) {
    this.#filledAt = now;
  }

  /** A request was taken in. */
  deposit(now: number): void {
    this.#fill(now);
    this.#tokens = Math.min(MOST, this.#tokens + PER_REQUEST);
  }

  /** Pays for one retry; false if it cannot be paid. */
  withdraw(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  tokens(now: number): number {
    this.#fill(now);
    return this.#tokens;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(MOST, this.#tokens + (Math.max(0, now - this.#filledAt) / 1000) * PER_SECOND);
    this.#filledAt = now;
  }
}
