import type { KeySnapshot } from '../../fleet/snapshot.ts';
import { RateLimit } from './rate-limit.ts';

// What a key may do at once and per minute, counted where it is asked. With several relay threads the counts are in memory they
// share instead (threads/shared-limits.ts), behind the same two words: come in, or come back later.

export interface KeyLimits {
  /** Lets a request of the key in: what to call once when it ends. Or the ms after which to come back. `now` is monotonic ms. */
  enter(key: KeySnapshot, now: number): (() => void) | number;
}

export const CONCURRENCY_RETRY_MS = 1000;

/** The limits of one thread that is alone. */
export class OwnKeyLimits implements KeyLimits {
  readonly #rates = new RateLimit();
  readonly #open = new Map<string, number>();

  enter({ id, maxConcurrent, ratePerMinute }: KeySnapshot, now: number): (() => void) | number {
    const open = this.#open.get(id) ?? 0;
    if (maxConcurrent !== null && open >= maxConcurrent) return CONCURRENCY_RETRY_MS;
    const waitMs = ratePerMinute === null ? 0 : this.#rates.take(id, ratePerMinute, now);
    if (waitMs > 0) return waitMs;
    this.#open.set(id, open + 1);
    return () => {
      const rest = (this.#open.get(id) ?? 1) - 1;
      if (rest === 0) this.#open.delete(id);
      else this.#open.set(id, rest);
    };
  }
}
