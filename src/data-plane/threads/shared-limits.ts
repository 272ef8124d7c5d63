import { CONCURRENCY_RETRY_MS, type KeyLimits } from '../auth/key-limits.ts';
import type { KeySnapshot } from '../../fleet/snapshot.ts';

// What keys may do, counted exactly over all threads in memory that they share, since a key's requests come to whichever thread the
// kernel chose. Two numbers per key: how many requests are open, and the time at which its minute's allowance is full again
// (GCRA, the virtual scheduling form of the token bucket in auth/rate-limit.ts: one number, so one compare-and-exchange). Beside
// the total stands what each thread has open, to be taken off should it die. A thread that dies between the two additions would leave
// the total wrong by one; there is nothing between them that can fail.

/** Keys with a limit that can be counted at once. */
const MOST_KEYS = 16_384;
const MICROSECONDS = 1000;
const MINUTE_US = 60_000_000;

/** Where each limited key is counted, by its id. */
export type KeyPlaces = ReadonlyMap<string, number>;

function isLimited({ maxConcurrent, ratePerMinute }: KeySnapshot): boolean {
  return maxConcurrent !== null || ratePerMinute !== null;
}

/** Memory for all threads; what is never written to costs nothing. */
export function limitsMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(MOST_KEYS * (8 + 4 * (1 + threads)));
}

export class SharedKeyLimits implements KeyLimits {
  /** By place: when the allowance is full again, in monotonic µs. */
  readonly #fullAt: BigInt64Array;
  /** By place. */
  readonly #open: Int32Array;
  /** By place: what this thread has open. */
  readonly #own: Int32Array;
  /** Of keys that are one place too many: counted by this thread alone. */
  readonly #spare: KeyLimits;
  #places: KeyPlaces = new Map();

  constructor(memory: SharedArrayBuffer, thread: number, spare: KeyLimits) {
    this.#fullAt = new BigInt64Array(memory, 0, MOST_KEYS);
    this.#open = new Int32Array(memory, MOST_KEYS * 8, MOST_KEYS);
    this.#own = ownCounts(memory, thread);
    this.#spare = spare;
  }

  /** Counts each key at its place from now on. */
  replacePlaces(places: KeyPlaces): void {
    this.#places = places;
  }

  enter(key: KeySnapshot, now: number): (() => void) | number {
    if (!isLimited(key)) return unlimited;
    const place = this.#places.get(key.id);
    if (place === undefined) return this.#spare.enter(key, now);
    if (!this.#takePlace(key, place)) return CONCURRENCY_RETRY_MS;
    const leave = (): void => {
      Atomics.sub(this.#own, place, 1);
      Atomics.sub(this.#open, place, 1);
    };
    const waitMs = this.#takeRate(key, place, now);
    if (waitMs === 0) return leave;
    leave();
    return waitMs;
  }

  #takePlace({ maxConcurrent }: KeySnapshot, place: number): boolean {
    for (;;) {
      const open = Atomics.load(this.#open, place);
      if (maxConcurrent !== null && open >= maxConcurrent) return false;
      if (Atomics.compareExchange(this.#open, place, open, open + 1) !== open) continue;
      Atomics.add(this.#own, place, 1);
      return true;
    }
  }

  #takeRate({ ratePerMinute }: KeySnapshot, place: number, now: number): number {
    if (ratePerMinute === null) return 0;
    const nowUs = Math.floor(now * MICROSECONDS);
    const costUs = MINUTE_US / ratePerMinute;
    for (;;) {
      const fullAt = Atomics.load(this.#fullAt, place);
      const next = Math.max(Number(fullAt), nowUs) + costUs;
      const overUs = next - nowUs - MINUTE_US;
      if (overUs > 0) return overUs / MICROSECONDS;
      if (Atomics.compareExchange(this.#fullAt, place, fullAt, BigInt(Math.round(next))) === fullAt) return 0;
    }
  }
}

/** Gives keys their places, and takes off what a dead thread had open. On one thread only. */
export class KeyPlacing {
  readonly #memory: SharedArrayBuffer;
  readonly #fullAt: BigInt64Array;
  readonly #open: Int32Array;
  #places = new Map<string, number>();
  /** Places of keys that are gone; used anew when nothing is open there. */
  #left: number[] = [];
  #next = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#fullAt = new BigInt64Array(memory, 0, MOST_KEYS);
    this.#open = new Int32Array(memory, MOST_KEYS * 8, MOST_KEYS);
  }

  /** The places of these keys; one that had a place keeps it. */
  place(keys: Iterable<KeySnapshot>): KeyPlaces {
    const limited = new Set<string>();
    for (const key of keys) if (isLimited(key)) limited.add(key.id);
    const places = new Map<string, number>();
    const free = this.#left.filter((place) => Atomics.load(this.#open, place) === 0);
    this.#left = this.#left.filter((place) => !free.includes(place));
    for (const [id, place] of this.#places) {
      if (limited.has(id)) places.set(id, place);
      // Not before the next publication: other threads may still let requests of it in.
      else this.#left.push(place);
    }
    for (const id of limited) {
      if (places.has(id)) continue;
      const place = free.pop() ?? (this.#next < MOST_KEYS ? this.#next++ : null);
      if (place === null) break;
      Atomics.store(this.#fullAt, place, 0n);
      places.set(id, place);
    }
    this.#left.push(...free);
    this.#places = places;
    return places;
  }

  /** A thread is no more, and with it what it had open. */
  forget(thread: number): void {
    const own = ownCounts(this.#memory, thread);
    for (let place = 0; place < this.#next; place += 1) {
      Atomics.sub(this.#open, place, Atomics.exchange(own, place, 0));
    }
  }
}

function ownCounts(memory: SharedArrayBuffer, thread: number): Int32Array {
  return new Int32Array(memory, MOST_KEYS * (8 + 4 * (1 + thread)), MOST_KEYS);
}

const unlimited = (): void => undefined;
