import type { FullFor } from '../dispatcher/dispatcher.ts';

// Numbers that all threads see at any time without asking. Each has one writer, except the order of arrival, which all take from:
// so the waiting room is as fair over threads as on one.

const WAITERS = 0;
const FULL_FOR_MS = 1;
const VERSION = 2;
const WAIT_MS = 3;
const GAP_US = 4;
/** Written by all. */
const TOLD = 5;
const SHARED = 6;

const CONNECTIONS = 0;
const OPEN_REQUESTS = 1;
const BEAT = 2;
const PER_THREAD = 16;

const ARRIVALS_BYTES = 8;
const NOT_FULL = -1;
const MOST_MS = 2 ** 31 - 1;

export class Board {
  readonly memory: SharedArrayBuffer;
  readonly threads: number;
  readonly #arrivals: BigInt64Array;
  readonly #numbers: Int32Array;

  constructor(threads: number, memory?: SharedArrayBuffer) {
    this.threads = threads;
    this.memory = memory ?? new SharedArrayBuffer(ARRIVALS_BYTES + 4 * (SHARED + PER_THREAD * threads));
    this.#arrivals = new BigInt64Array(this.memory, 0, 1);
    this.#numbers = new Int32Array(this.memory, ARRIVALS_BYTES);
    if (!memory) this.full = null;
  }

  /** Takes the next place in the order of arrival over all threads. */
  nextTicketId(): number {
    return Number(Atomics.add(this.#arrivals, 0, 1n)) + 1;
  }

  // Of the dispatcher

  get waiters(): number {
    return Atomics.load(this.#numbers, WAITERS);
  }

  set waiters(count: number) {
    Atomics.store(this.#numbers, WAITERS, count);
  }

  /** What a newcomer is told where it would certainly be refused; else null. Its parts may be of two moments. */
  get full(): FullFor | null {
    const firstMs = Atomics.load(this.#numbers, FULL_FOR_MS);
    if (firstMs === NOT_FULL) return null;
    const [gapUs, estimatedWaitMs] = [Atomics.load(this.#numbers, GAP_US), Atomics.load(this.#numbers, WAIT_MS)];
    return { firstMs, gapMs: gapUs / 1000, estimatedWaitMs };
  }

  set full(full: FullFor | null) {
    Atomics.store(this.#numbers, GAP_US, Math.min(MOST_MS, Math.ceil((full?.gapMs ?? 0) * 1000)));
    Atomics.store(this.#numbers, WAIT_MS, Math.min(MOST_MS, Math.ceil(full?.estimatedWaitMs ?? 0)));
    Atomics.store(this.#numbers, FULL_FOR_MS, full ? Math.min(MOST_MS, Math.ceil(full.firstMs)) : NOT_FULL);
  }

  /** Somebody is told so; returns how many were before, since the dispatcher last looked. */
  tell(): number {
    return Atomics.add(this.#numbers, TOLD, 1);
  }

  /** How many were told so since this was asked last. */
  takeTold(): number {
    return Atomics.exchange(this.#numbers, TOLD, 0);
  }

  /** Of the snapshot that slots are granted by. */
  get version(): number {
    return Atomics.load(this.#numbers, VERSION);
  }

  set version(version: number) {
    Atomics.store(this.#numbers, VERSION, version);
  }

  // Of each thread

  connections(thread: number): number {
    return this.#of(thread, CONNECTIONS);
  }

  setConnections(thread: number, count: number): void {
    this.#set(thread, CONNECTIONS, count);
  }

  openRequests(thread: number): number {
    return this.#of(thread, OPEN_REQUESTS);
  }

  setOpenRequests(thread: number, count: number): void {
    this.#set(thread, OPEN_REQUESTS, count);
  }

  /** Changes as long as the thread is alive. */
  beat(thread: number): number {
    return this.#of(thread, BEAT);
  }

  beats(thread: number): void {
    Atomics.add(this.#numbers, SHARED + thread * PER_THREAD + BEAT, 1);
  }

  /** Forgets what a thread wrote that is no more. */
  clear(thread: number): void {
    this.setConnections(thread, 0);
    this.setOpenRequests(thread, 0);
  }

  #of(thread: number, what: number): number {
    return Atomics.load(this.#numbers, SHARED + thread * PER_THREAD + what);
  }

  #set(thread: number, what: number, value: number): void {
    Atomics.store(this.#numbers, SHARED + thread * PER_THREAD + what, value);
  }
}
