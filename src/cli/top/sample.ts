import type { Rates, Stats } from './frame.ts';

// Rates are made of two readings of the router's counters: it keeps no rates itself, and whoever watches chooses the interval.

export interface Sample {
  /** Monotonic ms. */
  readonly at: number;
  readonly requests: number;
  readonly tokens: number;
}

export function sampleOf({ totals }: Stats, at: number): Sample {
  return { at, requests: totals.requests, tokens: totals.completionTokens };
}

/** Null where there is no earlier one, or the counters began anew in between. */
export function ratesBetween(before: Sample | null, after: Sample): Rates | null {
  if (!before || after.at <= before.at || after.requests < before.requests || after.tokens < before.tokens) return null;
  const seconds = (after.at - before.at) / 1000;
  return {
    requestsPerSecond: (after.requests - before.requests) / seconds,
    tokensPerSecond: (after.tokens - before.tokens) / seconds,
  };
}
