import { pairedRatios, spreadOf } from '../support/spread.ts';
import type { Entry, PartResult } from '../parts/run-part.ts';
import { countedRounds, cpuOfRounds, cpuRatio, figureOf } from './table.ts';

// The goals that Weir is measured against, and what a run says of each. A goal whose part or yardstick was not in the run is left open, and
// so is one of which no sound round is left.

export interface Judged {
  readonly goal: string;
  readonly wanted: string;
  readonly atLeast: string;
  readonly seen: string;
  readonly verdict: 'reached' | 'at least' | 'missed' | 'open';
}

interface Goal {
  readonly goal: string;
  readonly part: string;
  readonly wanted: number;
  readonly atLeast: number;
  readonly unit: string;
  /** True where more is better. */
  readonly isFloor?: true;
  readonly of: (result: PartResult, weir: Entry) => number;
}

const named = ({ entries }: PartResult, name: string): Entry | null =>
  entries.find(({ candidate }) => candidate.name === name) ?? null;

/** The median of round by round differences to nginx, ms. */
function overNginx(result: PartResult, weir: Entry, quantile: 'p50' | 'p99'): number {
  const nginx = named(result, 'nginx');
  if (!nginx) return Number.NaN;
  const theirs = countedRounds(nginx).rounds;
  const added = countedRounds(weir).rounds.map((round, n) => {
    const other = theirs[n];
    return round && other ? round.seen.ownMs[quantile] - other.seen.ownMs[quantile] : Number.NaN;
  });
  return spreadOf(added).median;
}

/** CPU time over that of the cheapest other router; paired, so both must be in the round. */
function overCheapestRouter(result: PartResult, weir: Entry): number {
  const ratios = result.entries
    .filter(({ candidate, rounds }) => candidate.kind === 'router' && rounds.some(({ flaw }) => flaw === null))
    .map((other) => spreadOf(pairedRatios(cpuOfRounds(weir), cpuOfRounds(other))).median);
  return ratios.length === 0 ? Number.NaN : Math.max(...ratios);
}

const goals: readonly Goal[] = [
  {
    goal: 'JSON 1 KB, CPU per request against nginx',
    part: 'json',
    wanted: 2.2,
    atLeast: 3,
    unit: '×',
    of: (result, weir) => cpuRatio(result, weir, 'nginx').median,
  },
  {
    goal: "same, requests/s against Portkey's gateway",
    part: 'json',
    wanted: 40,
    atLeast: 20,
    unit: '×',
    isFloor: true,
    of: (result, weir) => {
      const portkey = named(result, 'portkey');
      return portkey ? figureOf(weir, (r) => r.perSecond).median / figureOf(portkey, (r) => r.perSecond).median : NaN;
    },
  },
  {
    goal: 'SSE at 10k events/s, CPU per event against nginx',
    part: 'sse',
    wanted: 1.5,
    atLeast: 1.9,
    unit: '×',
    of: (result, weir) => cpuRatio(result, weir, 'nginx').median,
  },
  {
    goal: 'SSE added p50 over nginx, 1000 streams',
    part: 'sse1000',
    wanted: 0.05,
    atLeast: 0.15,
    unit: ' ms',
    of: (result, weir) => overNginx(result, weir, 'p50'),
  },
  {
    goal: 'SSE added p99 over nginx, 1000 streams',
    part: 'sse1000',
    wanted: 0.5,
    atLeast: 2,
    unit: ' ms',
    of: (result, weir) => overNginx(result, weir, 'p99'),
  },
  {
    goal: '1000 requests/s open loop: p95 of the own share',
    part: 'open',
    wanted: 1,
    atLeast: 5,
    unit: ' ms',
    of: (_, weir) => figureOf(weir, ({ seen }) => seen.ownMs.p95).median,
  },
  {
    goal: '1000 requests/s open loop: p99 of the own share',
    part: 'open',
    wanted: 3,
    atLeast: 10,
    unit: ' ms',
    of: (_, weir) => figureOf(weir, ({ seen }) => seen.ownMs.p99).median,
  },
  {
    goal: '500 clients, 200 ms service: p95 of the own share',
    part: 'clients500',
    wanted: 3,
    atLeast: 10,
    unit: ' ms',
    of: (_, weir) => figureOf(weir, ({ seen }) => seen.ownMs.p95).median,
  },
  {
    goal: 'refusing, CPU per refused request',
    part: 'refuse',
    wanted: 24,
    atLeast: 32,
    unit: ' µs',
    of: (_, weir) => figureOf(weir, ({ cpuMicros }) => cpuMicros).median,
  },
  { goal: 'idle RssAnon', part: 'idle', wanted: 40, atLeast: 50, unit: ' MB', of: (_, weir) => weir.idle.anonMb },
  {
    goal: 'memory per open stream at 5000 (RssAnon over idle)',
    part: 'slow',
    wanted: 25,
    atLeast: 45,
    unit: ' KB',
    of: (_, weir) => ((figureOf(weir, ({ seen }) => seen.memory.anonMb).median - weir.idle.anonMb) * 1024) / 5000,
  },
  {
    goal: 'two relay threads at one fixed rate, CPU per request against one',
    part: 'threads',
    wanted: 1.05,
    atLeast: 1.12,
    unit: '×',
    of: (result, weir) => {
      const two = named(result, 'weir-2threads');
      return two ? 1 / cpuRatio(result, weir, 'weir-2threads').median : Number.NaN;
    },
  },
  {
    goal: 'CPU per request against the cheapest other router',
    part: 'json',
    wanted: 1,
    atLeast: 1.3,
    unit: '×',
    of: overCheapestRouter,
  },
  {
    goal: 'CPU per event against the cheapest other router',
    part: 'sse',
    wanted: 1,
    atLeast: 1.3,
    unit: '×',
    of: overCheapestRouter,
  },
];

/** What the results say of every goal. */
export function judgeGoals(results: readonly PartResult[]): Judged[] {
  return goals.map(({ goal, part, wanted, atLeast, unit, isFloor, of }) => {
    const result = results.find(({ part: { name } }) => name === part);
    const weir = result && named(result, 'weir');
    const isSound = weir && weir.rounds.length > 0 && !countedRounds(weir).isFlawed;
    const value = isSound ? of(result, weir) : Number.NaN;
    const meets = (limit: number): boolean => (isFloor ? value >= limit : value <= limit);
    const met = meets(wanted) ? 'reached' : meets(atLeast) ? 'at least' : 'missed';
    const isKnown = Number.isFinite(value);
    return {
      goal,
      wanted: `${wanted}${unit}`,
      atLeast: `${atLeast}${unit}`,
      seen: isKnown ? `${Number(value.toPrecision(3))}${unit}` : '–',
      verdict: isKnown ? met : 'open',
    };
  });
}
