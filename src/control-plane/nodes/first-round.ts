import type { Clock } from '../../lib/clock.ts';

// Whether the fleet may be taken as known: the first probe of every node there was at the start has ended, or the time for
// that is up. Until then a client's request for an unknown model waits instead of getting a 404.

export class FirstRound {
  readonly #pending = new Set<string>();
  readonly #onSettled: () => void;
  readonly #cancel: () => void;
  #settled: boolean;

  /** `settled`: a former control plane got there already. */
  constructor(clock: Clock, withinMs: number, settled: boolean, onSettled: () => void) {
    this.#settled = settled;
    this.#onSettled = onSettled;
    this.#cancel = settled ? () => undefined : clock.after(withinMs, () => this.#settle());
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Names something to wait for. */
  await(name: string): void {
    if (!this.#settled) this.#pending.add(name);
  }

  /** Everything there is to wait for has been named. */
  begin(): void {
    if (this.#pending.size === 0) this.#settle();
  }

  done(name: string): void {
    if (this.#pending.delete(name) && this.#pending.size === 0) this.#settle();
  }

  stop(): void {
    this.#cancel();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#cancel();
    this.#onSettled();
  }
}
