import type { Clock } from '../../lib/clock.ts';
import { MOST_TEXT, type Ring } from './ring.ts';

// What a thread writes to another: at once into the ring, where the other finds it whenever it looks, with at most one wake at the
// end of the tick for all that was written in it. What can wait until the other looks by itself is not worth a wake of its own;
// it is given one after a while if nobody has looked by then.

/** How long a record may lie that is not urgent. */
const LAZY_MS = 20;
/** Before a full ring is tried again. */
const FULL_RETRY_MS = 1;

export interface OutboxOptions {
  readonly ring: Ring;
  readonly clock: Clock;
  /** Wakes the reader. */
  readonly wake: () => void;
  /** Runs something at the end of this tick. */
  readonly atTickEnd: (run: () => void) => void;
}

export class Outbox {
  readonly #ring: Ring;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #atTickEnd: OutboxOptions['atTickEnd'];
  /** What did not fit, in order. */
  #kept: (readonly [number, readonly number[], string])[] = [];
  #wakesAtTickEnd = false;
  #isLazy = false;

  constructor({ ring, clock, wake, atTickEnd }: OutboxOptions) {
    this.#ring = ring;
    this.#clock = clock;
    this.#wake = wake;
    this.#atTickEnd = atTickEnd;
  }

  /** Sends a record, in order. The text may be at most `MOST_TEXT` long. */
  send(kind: number, numbers: readonly number[], text = ''): void {
    this.#write(kind, numbers, text);
    this.urge();
  }

  /** Sends a record that may lie until the reader looks by itself. Lost where there is no room. */
  leave(kind: number, numbers: readonly number[], text: string): void {
    if (this.#kept.length === 0) this.#ring.write(kind, numbers, text);
  }

  get hasUnread(): boolean {
    return this.#kept.length > 0 || this.#ring.hasUnread;
  }

  /** What has been sent is to be read soon. */
  urge(): void {
    if (this.#wakesAtTickEnd) return;
    this.#wakesAtTickEnd = true;
    this.#atTickEnd(() => {
      this.#wakesAtTickEnd = false;
      if (this.#ring.hasUnread && this.#ring.claimWake()) this.#wake();
    });
  }

  /** Sends a record that may lie for up to 20 ms. */
  sendLazily(kind: number, numbers: readonly number[]): void {
    this.#write(kind, numbers, '');
    if (this.#isLazy || this.#wakesAtTickEnd) return;
    this.#isLazy = true;
    this.#clock.after(LAZY_MS, () => {
      this.#isLazy = false;
      if (this.#ring.hasUnread && this.#ring.claimWake()) this.#wake();
    });
  }

  #write(kind: number, numbers: readonly number[], text: string): void {
    if (text.length > MOST_TEXT) throw new RangeError('the text of a record is too long');
    if (this.#kept.length === 0 && this.#ring.write(kind, numbers, text)) return;
    this.#kept.push([kind, numbers, text]);
    if (this.#kept.length === 1) this.#retrySoon();
  }

  #retrySoon(): void {
    this.#clock.after(FULL_RETRY_MS, () => {
      const written = this.#kept.findIndex((record) => !this.#ring.write(...record));
      this.#kept = written < 0 ? [] : this.#kept.slice(written);
      if (this.#kept.length > 0) this.#retrySoon();
      if (this.#ring.hasUnread && this.#ring.claimWake()) this.#wake();
    });
  }
}
