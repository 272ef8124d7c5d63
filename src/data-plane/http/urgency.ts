import type { IncomingHttpHeaders } from 'node:http';
import { type Priority, priorities } from '../../fleet/glossary.ts';

// How urgent a request says it is: `x-weir-priority`, `x-weir-deadline-ms` and `x-weir-ttft-slo-ms`. What the key does not allow is
// cut down to what it does, as `x-weir-max-wait-ms` is to the configured wait; what makes no sense is an error.
//
// Both times bound how long it may wait for a slot, counted from its arrival, since that is what a router can keep: from then on the
// engine decides. An answer that has begun is not cut when its deadline passes; a client that has no use for it any more hangs up,
// and the engine is stopped at once. An attempt that fails after the deadline is not repeated.

export interface Urgency {
  readonly priority: Priority;
  /** Ms from arrival within which it needs a slot; null for any time. */
  readonly startWithinMs: number | null;
  /** It told by when it wants its first token. */
  readonly hasTtftSlo: boolean;
}

/** What a key allows. */
export interface UrgencyLimits {
  readonly maxPriority: Priority;
  readonly maxDeadlineMs: number | null;
}

/** Of requests without a key. */
const withoutKey: UrgencyLimits = { maxPriority: 'normal', maxDeadlineMs: null };

/** A sentence that says what is wrong where a header makes no sense. */
export function urgencyOf(headers: IncomingHttpHeaders, key: UrgencyLimits | null): Urgency | string {
  const { maxPriority, maxDeadlineMs } = key ?? withoutKey;
  const asked = headers['x-weir-priority'];
  const wanted = asked === undefined ? 'normal' : priorities.find((each) => each === textOf(asked).toLowerCase());
  if (wanted === undefined) return `x-weir-priority must be one of ${priorities.join(', ')}.`;
  const times = [maxDeadlineMs ?? Infinity];
  for (const name of ['x-weir-deadline-ms', 'x-weir-ttft-slo-ms'] as const) {
    const header = headers[name];
    if (header === undefined) continue;
    const ms = msOf(header);
    if (ms === null) return `${name} must be a whole number of milliseconds, 0 or more.`;
    times.push(ms);
  }
  const least = Math.min(...times);
  return {
    priority: lower(wanted, maxPriority),
    startWithinMs: Number.isFinite(least) ? least : null,
    hasTtftSlo: headers['x-weir-ttft-slo-ms'] !== undefined,
  };
}

/** Whole ms; null where the header makes no sense. */
export function msOf(header: string | string[]): number | null {
  const text = textOf(header);
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Sent twice, a header says nothing. */
function textOf(header: string | string[]): string {
  return typeof header === 'string' ? header.trim() : '';
}

function lower(one: Priority, other: Priority): Priority {
  return priorities.indexOf(one) > priorities.indexOf(other) ? one : other;
}
