import type { RequestRecord } from '../record.ts';

// Was Retry-After true? The truth for a request refused because the room was full is the first instant at which the same
// request would have been let in, as the router under test itself judges whenever a place comes free. Judged are truths
// from 0.5 to 60 s. Others may take that place before a client that comes back then.

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
  const ratios: number[] = [];
  for (const { refusedAt, openAt, toldMs } of records) {
    if (refusedAt === null || openAt === null || toldMs === null) continue;
    const truthMs = openAt - refusedAt;
    if (truthMs >= LEAST_MS && truthMs <= MOST_MS) ratios.push(toldMs / truthMs);
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
