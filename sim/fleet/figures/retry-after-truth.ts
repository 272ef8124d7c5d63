import type { RequestRecord } from '../record.ts';

// Was Retry-After true? The truth for a request refused because the room was full is the first instant at which the same
// request would have been taken in; that is approximated by the next arrival for the same model that was. Judged are truths
// from 0.5 to 60 s. With few arrivals the approximation is late, never early.

const LEAST_MS = 500;
const MOST_MS = 60_000;

export interface RetryAfterFigures {
  /** Refusals with a truth in range. */
  readonly judged: number;
  /** Share of them that were told within a factor of two of the truth. */
  readonly withinTwo: number | null;
  /** Median of what was told over the truth. */
  readonly medianRatio: number | null;
}

export function judgeRetryAfter(records: readonly RequestRecord[]): RetryAfterFigures {
  /** By model: when the next request that was taken in arrived. */
  const nextTaken = new Map<string, number>();
  const ratios: number[] = [];
  for (const { request, refusedAt, toldMs, why } of records.toReversed()) {
    const { model, arrivedAt } = request.seen;
    if (refusedAt === null || why !== 'capacity_exceeded') {
      nextTaken.set(model, arrivedAt);
      continue;
    }
    const truthMs = (nextTaken.get(model) ?? Infinity) - refusedAt;
    if (toldMs !== null && truthMs >= LEAST_MS && truthMs <= MOST_MS) ratios.push(toldMs / truthMs);
  }
  if (ratios.length === 0) return { judged: 0, withinTwo: null, medianRatio: null };
  const within = ratios.filter((ratio) => ratio >= 0.5 && ratio <= 2).length;
  const sorted = ratios.toSorted((a, b) => a - b);
  return {
    judged: ratios.length,
    withinTwo: within / ratios.length,
    medianRatio: sorted[Math.floor(ratios.length / 2)] ?? null,
  };
}
