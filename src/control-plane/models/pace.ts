const OVER_MS = 1000;

/** How fast something grows, from what it has grown to now and then. */
export class Pace {
  #at = 0;
  #bytes: number | null = null;

  /** Bytes a second over the last second or more; null where that is not over yet. `now`: monotonic ms. */
  at(bytes: number | null, now: number): number | null {
    if (bytes === null) return null;
    const before = this.#bytes;
    const ms = now - this.#at;
    if (before !== null && ms < OVER_MS) return null;
    this.#at = now;
    this.#bytes = bytes;
    return before === null ? null : Math.round((Math.max(0, bytes - before) * 1000) / ms);
  }
}
