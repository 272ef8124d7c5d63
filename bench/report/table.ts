import { DISTURBED, type Entry, type PartResult } from '../parts/run-part.ts';
import type { Round } from '../parts/part.ts';
import { pairedRatios, spreadOf, type Spread } from '../support/spread.ts';

// One part as a table for the terminal and the report. Medians over the rounds that count; the ratio to nginx is taken round by round.

const FEWEST_CALM = 3;

/**
 * The rounds that count: those without a flaw, and of these the calm ones if there are enough of them; all where every one is flawed, which
 * the table marks. What does not count is null in its place, so that rounds stay paired.
 */
export function countedRounds({ rounds }: Entry): {
  readonly rounds: readonly (Round | null)[];
  readonly isFlawed: boolean;
} {
  const isFlawed = rounds.length > 0 && rounds.every(({ flaw }) => flaw !== null);
  const sound = rounds.map((round) => (isFlawed || round.flaw === null ? round : null));
  const calm = sound.map((round) => (round !== null && round.foreignShare <= DISTURBED ? round : null));
  const isCalm = calm.filter((round) => round !== null).length >= FEWEST_CALM;
  return { rounds: isCalm ? calm : sound, isFlawed };
}

export function figureOf(entry: Entry, of: (round: Round) => number): Spread {
  return spreadOf(
    countedRounds(entry)
      .rounds.filter((round) => round !== null)
      .map(of),
  );
}

/** CPU time of each round that counts, µs per unit. */
export function cpuOfRounds(entry: Entry): (number | null)[] {
  return countedRounds(entry).rounds.map((round) => round?.cpuMicros ?? null);
}

/** Paired ratio of CPU time to the entry of that name; NaN rounds where there is none. */
export function cpuRatio(result: PartResult, entry: Entry, to: string): Spread {
  const other = result.entries.find(({ candidate }) => candidate.name === to);
  return spreadOf(other ? pairedRatios(cpuOfRounds(entry), cpuOfRounds(other)) : []);
}

const number = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const withSpread = ({ median, min, max }: Spread, digits: number): string =>
  `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;

export function tableOf(result: PartResult): string[][] {
  const head = [
    '',
    `CPU µs/${result.part.unit}`,
    '× nginx',
    'per s',
    'own p50 ms',
    'p95',
    'p99',
    'RSS MB',
    'RssAnon MB',
    'void',
  ];
  const rows = result.entries.map((entry) => {
    const { candidate, rounds, failure } = entry;
    if (failure !== null) return [candidate.name, failure.split('\n')[0] ?? '', ...Array.from({ length: 8 }, () => '')];
    const flawed = rounds.filter(({ flaw }) => flaw !== null).length;
    return [
      candidate.name,
      candidate.kind === 'harness'
        ? ''
        : withSpread(
            figureOf(entry, (round) => round.cpuMicros),
            1,
          ),
      candidate.kind === 'harness' ? '' : number(cpuRatio(result, entry, 'nginx').median, 2),
      number(figureOf(entry, (round) => round.perSecond).median, 0),
      number(figureOf(entry, (round) => round.seen.ownMs.p50).median, 3),
      number(figureOf(entry, (round) => round.seen.ownMs.p95).median, 2),
      number(figureOf(entry, (round) => round.seen.ownMs.p99).median, 2),
      number(figureOf(entry, ({ seen }) => seen.memory.rssMb).median, 0),
      number(figureOf(entry, ({ seen }) => seen.memory.anonMb).median, 0),
      flawed === 0
        ? ''
        : `${flawed} of ${rounds.length}${countedRounds(entry).isFlawed ? ', figures of void rounds' : ''}`,
    ];
  });
  return [head, ...rows];
}

export function sayTable(result: PartResult): string {
  const table = tableOf(result);
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
