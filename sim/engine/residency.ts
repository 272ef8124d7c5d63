import type { Clock } from '../../src/lib/clock.ts';

// Which models are in memory. A model out of memory is loaded when first asked for; where room is limited, the longest unused
// model that computes nothing makes room, and a request whose model finds no room waits. Loads run beside each other.

interface Resident {
  state: 'loading' | 'resident';
  lastUsedAt: number;
  waiters: (() => void)[];
}

export interface ResidencyOptions {
  readonly loadMs: number;
  readonly maxResident: number;
  /** Whether a model computes or is about to. */
  isBusy(model: string): boolean;
}

export class Residency {
  readonly #options: ResidencyOptions;
  readonly #clock: Clock;
  readonly #models = new Map<string, Resident>();
  #queue: { readonly model: string; readonly run: () => void }[] = [];
  #loads = 0;

  constructor(options: ResidencyOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Loads begun since the start. */
  get loads(): number {
    return this.#loads;
  }

  /** Puts a model into memory without taking time. */
  place(model: string): void {
    this.#models.set(model, { state: 'resident', lastUsedAt: this.#clock.now(), waiters: [] });
  }

  state(model: string): 'resident' | 'loading' | 'absent' {
    return this.#models.get(model)?.state ?? 'absent';
  }

  /** Calls `then` once the model is in memory, at once if it is; the returned function cancels that. */
  ensure(model: string, then: () => void): () => void {
    const known = this.#models.get(model);
    if (known?.state === 'resident') {
      known.lastUsedAt = this.#clock.now();
      then();
      return () => undefined;
    }
    if (known) {
      known.waiters.push(then);
      return () => {
        known.waiters = known.waiters.filter((other) => other !== then);
      };
    }
    if (!this.#makeRoom()) {
      this.#queue.push({ model, run: then });
      // It may have moved on to a load of its own by the time it is cancelled.
      return () => {
        this.#queue = this.#queue.filter((other) => other.run !== then);
        const loading = this.#models.get(model);
        if (loading) loading.waiters = loading.waiters.filter((other) => other !== then);
      };
    }
    const fresh: Resident = { state: 'loading', lastUsedAt: this.#clock.now(), waiters: [then] };
    this.#models.set(model, fresh);
    this.#loads += 1;
    this.#clock.after(this.#options.loadMs, () => {
      if (this.#models.get(model) !== fresh) return;
      fresh.state = 'resident';
      fresh.lastUsedAt = this.#clock.now();
      for (const waiter of fresh.waiters.splice(0)) waiter();
      this.settle();
    });
    return () => {
      fresh.waiters = fresh.waiters.filter((other) => other !== then);
    };
  }

  /** Takes a model out of memory, unless it is loading; what it computes is not ended. */
  unload(model: string): void {
    if (this.#models.get(model)?.state === 'resident') this.#models.delete(model);
    this.settle();
  }

  /** Lets those who wait for room try again; to be called when a model stopped computing. */
  settle(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const { model, run } of queue) this.ensure(model, run);
  }

  #makeRoom(): boolean {
    if (this.#models.size < this.#options.maxResident) return true;
    const idle = [...this.#models]
      .filter(([model, { state }]) => state === 'resident' && !this.#options.isBusy(model))
      .toSorted(([, a], [, b]) => a.lastUsedAt - b.lastUsedAt)[0];
    if (!idle) return false;
    this.#models.delete(idle[0]);
    return true;
  }
}
