import type { RequestRecord } from '../record.ts';
import { jain } from './fairness.ts';
import { judgeRetryAfter, type RetryAfterFigures } from './retry-after-truth.ts';

// Every figure of a run. Times to the first token are over all *offered* requests: one that was refused, given up or broken
// before it counts as its deadline, so that nobody looks fast by refusing. Goodput is the share of offered requests whose
// first token and whose time per token kept the objective; refusals and broken streams miss it.

export interface Objective {
  /** Ms allowed until the first token: a fixed part and one by prompt token. */
  readonly ttftMs: number;
  readonly ttftMsPerPromptToken: number;
  readonly tpotMs: number;
}

export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

interface CallerFigures {
  readonly caller: number;
  readonly offered: number;
  readonly goodput: number;
  readonly ttftP99Ms: number;
  readonly waitP99Ms: number;
}

export interface Figures {
  readonly requests: Readonly<Record<'offered' | 'served' | 'refused' | 'interrupted' | 'gone', number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly ttftMs: Spread;
  /** Of requests that got a first token. */
  readonly ttftServedMs: Spread;
  readonly timePerTokenMs: Spread;
  /** From arrival until an engine took it up, of those that were. */
  readonly waitMs: Spread;
  readonly goodput: number;
  readonly goodRequestsPerSecond: number;
  readonly tokensPerSecond: number;
  readonly callers: readonly CallerFigures[];
  readonly worstCaller: CallerFigures;
  /** Over each caller's share of good requests. */
  readonly jainOfGoodput: number | null;
  /** Prompt tokens found cached, as a share of those of requests that started. */
  readonly hitRate: number;
  readonly attemptsPerRequest: number;
  readonly retryAfter: RetryAfterFigures;
}

/** Requests of the first `warmUp` share of arrivals are left out. */
export function figuresOf(all: readonly RequestRecord[], objective: Objective, warmUp: number): Figures {
  const records = all.slice(Math.floor(all.length * warmUp));
  const lastEnd = records.reduce((last, { endedAt }) => Math.max(last, endedAt ?? 0), 0);
  const seconds = Math.max(1e-9, (lastEnd - (records[0]?.request.seen.arrivedAt ?? 0)) / 1000);
  const served = records.filter(({ outcome }) => outcome === 'served');
  const started = records.filter(({ startedAt }) => startedAt !== null);
  const good = records.filter((record) => isGood(record, objective)).length;
  const prompts = started.reduce((sum, { request }) => sum + request.seen.promptTokens, 0);
  const cached = started.reduce((sum, { cachedTokens }) => sum + cachedTokens, 0);
  const callers = byCaller(records).map(([caller, of]) => callerFigures(caller, of, objective));
  const count = (outcome: RequestRecord['outcome']): number =>
    records.filter((record) => record.outcome === outcome).length;
  return {
    requests: {
      offered: records.length,
      served: served.length,
      refused: count('refused'),
      interrupted: count('interrupted'),
      gone: count('gone'),
    },
    refusals: Object.fromEntries(
      [
        ...Map.groupBy(
          records.filter(({ why, outcome }) => why !== null && outcome !== 'served'),
          ({ why }) => why ?? '',
        ),
      ]
        .map(([why, of]) => [why, of.length] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
    ttftMs: spreadOf(records.map(ttftOf)),
    ttftServedMs: spreadOf(records.filter(({ firstAt }) => firstAt !== null).map(ttftOf)),
    timePerTokenMs: spreadOf(served.flatMap((record) => timePerToken(record) ?? [])),
    waitMs: spreadOf(started.map(waitOf)),
    goodput: good / Math.max(1, records.length),
    goodRequestsPerSecond: good / seconds,
    tokensPerSecond: records.reduce((sum, { tokens }) => sum + tokens, 0) / seconds,
    callers,
    worstCaller: worstOf(callers),
    jainOfGoodput: jain(callers.map(({ goodput }) => goodput)),
    hitRate: prompts === 0 ? 0 : cached / prompts,
    retryAfter: judgeRetryAfter(all),
    attemptsPerRequest: records.reduce((sum, { attempts }) => sum + attempts, 0) / Math.max(1, records.length),
  };
}

function ttftOf({ request: { seen }, firstAt }: RequestRecord): number {
  return firstAt === null ? seen.deadlineMs : firstAt - seen.arrivedAt;
}

/** Until an engine took it up; one that none did waited until it was turned away. */
function waitOf({ request: { seen }, startedAt, endedAt }: RequestRecord): number {
  return (startedAt ?? endedAt ?? 0) - seen.arrivedAt;
}

function timePerToken({ firstAt, endedAt, tokens }: RequestRecord): number | null {
  return firstAt === null || endedAt === null || tokens < 2 ? null : (endedAt - firstAt) / (tokens - 1);
}

function isGood(record: RequestRecord, { ttftMs, ttftMsPerPromptToken, tpotMs }: Objective): boolean {
  if (record.outcome !== 'served') return false;
  const allowed = ttftMs + ttftMsPerPromptToken * record.request.seen.promptTokens;
  return ttftOf(record) <= allowed && (timePerToken(record) ?? 0) <= tpotMs;
}

function byCaller(records: readonly RequestRecord[]): (readonly [number, RequestRecord[]])[] {
  return [...Map.groupBy(records, ({ request }) => request.seen.caller)].toSorted(([a], [b]) => a - b);
}

function callerFigures(caller: number, of: readonly RequestRecord[], objective: Objective): CallerFigures {
  return {
    caller,
    offered: of.length,
    goodput: of.filter((record) => isGood(record, objective)).length / of.length,
    ttftP99Ms: spreadOf(of.map(ttftOf)).p99,
    waitP99Ms: spreadOf(of.map(waitOf)).p99,
  };
}

/** The caller of at least 20 requests (of one, where nobody has so many) with the least goodput. */
function worstOf(callers: readonly CallerFigures[]): CallerFigures {
  const many = callers.filter(({ offered }) => offered >= 20);
  const all = many.length > 0 ? many : callers;
  const [worst] = all.toSorted((a, b) => a.goodput - b.goodput || b.ttftP99Ms - a.ttftP99Ms);
  return worst ?? { caller: 0, offered: 0, goodput: 0, ttftP99Ms: 0, waitP99Ms: 0 };
}

/** Quantiles by the nearest rank; zeros for nothing. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return { mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** The largest over the mean; 1 where all are equal. */
export function imbalanceOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return mean === 0 ? 1 : Math.max(...values) / mean;
}
