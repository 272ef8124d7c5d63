const FIRST_MS = 100;
const MOST_MS = 10_000;
/** What lived this long was healthy; its death starts the delays anew. */
const HEALTHY_AFTER_MS = 60_000;

/** How long to wait before something that died is started again: 100 ms, doubling up to 10 s while it keeps dying young. */
export class RestartDelay {
  #nextMs = FIRST_MS;
  #bornAt = 0;

  /** It was started; `now` is monotonic ms. */
  started(now: number): void {
    this.#bornAt = now;
  }

  /** It died: ms until it is to be started again. */
  died(now: number): number {
    if (now - this.#bornAt > HEALTHY_AFTER_MS) this.#nextMs = FIRST_MS;
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(MOST_MS, delayMs * 2);
    return delayMs;
  }
}
