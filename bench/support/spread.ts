// The arithmetic of a report. Every figure is a median over rounds with its spread; two candidates are compared round by round, since what
// disturbs a shared machine disturbs neighbours in time alike.

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** The value below which the share `q` (0 to 1) of the values lies; NaN of none. `sorted` ascends. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** The middle value, the mean of the two in the middle of an even number; NaN of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  const known = values.filter((value) => !Number.isNaN(value));
  return {
    median: medianOf(known),
    min: known.length === 0 ? Number.NaN : Math.min(...known),
    max: known.length === 0 ? Number.NaN : Math.max(...known),
    rounds: known.length,
  };
}

/** The ratios of one round each, `over[n] / under[n]`; rounds that lack either are left out. */
export function pairedRatios(over: readonly (number | null)[], under: readonly (number | null)[]): number[] {
  const ratios: number[] = [];
  for (const [round, value] of over.entries()) {
    const other = under[round] ?? null;
    if (value !== null && other !== null && other !== 0) ratios.push(value / other);
  }
  return ratios;
}

/** Keeps any number of values at 8 bytes each. */
export class Samples {
  #values = new Float64Array(65_536);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const wider = new Float64Array(this.#count * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  quantiles(): Quantiles {
    const sorted = this.#values.subarray(0, this.#count).toSorted();
    return {
      count: this.#count,
      p50: quantileOf(sorted, 0.5),
      p95: quantileOf(sorted, 0.95),
      p99: quantileOf(sorted, 0.99),
      p999: quantileOf(sorted, 0.999),
      max: quantileOf(sorted, 1),
    };
  }
}
