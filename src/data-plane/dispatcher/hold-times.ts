// How long leases of a node were held of late, as a sample: what share of those that have lasted for so long will end within so much more.
// A sample rather than a mean, since what matters is the shape: where all answers take the same time, the end of one is known to the
// moment; where they vary as they like, only their rate is.

const KEPT = 48;

export class HoldTimes {
  readonly #newest: number[] = [];
  #sorted: number[] | null = null;
  #next = 0;

  get size(): number {
    return this.#newest.length;
  }

  add(heldMs: number): void {
    this.#newest[this.#next] = heldMs;
    this.#next = (this.#next + 1) % KEPT;
    this.#sorted = null;
  }

  /**
   * The chance that a lease of `ageMs` ends within `ms` more. One that lasts longer than any of the sample is as likely to end in the next
   * moment as it was to last so long.
   */
  endsWithin(ageMs: number, ms: number): number {
    this.#sorted ??= this.#newest.toSorted((a, b) => a - b);
    const sorted = this.#sorted;
    const left = sorted.length - countUpTo(sorted, ageMs);
    if (left === 0) return 1 - Math.exp(-ms / Math.max(1, ageMs));
    return (countUpTo(sorted, ageMs + ms) - (sorted.length - left)) / left;
  }
}

/** How many of the ascending values are no greater than `most`. */
function countUpTo(values: readonly number[], most: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
