import type { RunResult } from '../simulate.ts';

// One contender at one load of one scenario: what its runs, one a seed, came to.

const names = [
  'goodput',
  'ttftP50S',
  'ttftP99S',
  'msPerToken',
  'refused',
  'jain',
  'worstCaller',
  'hitRate',
  'imbalance',
] as const;
export type FigureName = (typeof names)[number];
export type Seeded = Readonly<Record<FigureName, readonly number[]>>;

export interface Cell {
  readonly scenario: string;
  readonly load: number;
  readonly contender: string;
  /** Requests of the first seed's run. */
  readonly offered: number;
  /** One number a seed, in the same order for all; Jain's index is 1 where nobody was backlogged. */
  readonly figures: Seeded;
}

export function figuresOfRuns(runs: readonly RunResult[]): Seeded {
  const each = (read: (run: RunResult) => number): number[] => runs.map((run) => Number(read(run).toPrecision(4)));
  return {
    goodput: each(({ goodput }) => goodput),
    ttftP50S: each(({ ttftMs }) => ttftMs.p50 / 1000),
    ttftP99S: each(({ ttftMs }) => ttftMs.p99 / 1000),
    msPerToken: each(({ timePerTokenMs }) => timePerTokenMs.mean),
    refused: each(({ requests }) => requests.refused / requests.offered),
    jain: each(({ jain }) => jain ?? 1),
    worstCaller: each(({ worstCaller }) => worstCaller.goodput),
    hitRate: each(({ hitRate }) => hitRate),
    imbalance: each(({ imbalance }) => imbalance),
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Student's t for 95 % by degrees of freedom; beyond ten it hardly falls. */
const STUDENT = [Infinity, 12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

export interface Interval {
  readonly mean: number;
  /** Half of the width of the interval that holds the true mean in 95 % of the cases; infinite for a single value. */
  readonly within: number;
}

/** The mean of paired differences and its 95 % interval. */
export function difference(ours: readonly number[], theirs: readonly number[]): Interval {
  const differences = ours.map((value, at) => value - (theirs[at] ?? 0));
  const mean = meanOf(differences);
  const freedom = differences.length - 1;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, freedom);
  const student = STUDENT[Math.min(freedom, STUDENT.length - 1)] ?? Infinity;
  return { mean, within: student === Infinity ? Infinity : student * Math.sqrt(variance / differences.length) };
}
