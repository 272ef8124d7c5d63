import type { ClientError } from './api/dialect.ts';
import type { WaitResult } from './dispatcher/ticket.ts';
import { type ErrorCode, errors } from '../fleet/errors.ts';
import type { QueueStanding } from './queue-standing.ts';
import type { Trip } from './trip.ts';

/** How the corridor was left. */
export type Ending =
  /** The client has its whole answer: a node's, or a node's own 4xx. */
  | { readonly kind: 'answered'; readonly status: number }
  /** Nothing was sent yet: tell the client. */
  | { readonly kind: 'error'; readonly error: ClientError }
  /** The answer broke after it began: tell the client within it, or by cutting the connection. */
  | { readonly kind: 'interrupted'; readonly error: ClientError; readonly isStream: boolean }
  | { readonly kind: 'gone' };

export interface Detail {
  /** In place of the table's sentence. */
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | null;
  readonly standing?: QueueStanding | null;
}

/** What a stopping router tells: another one, or this one after its restart, will be there soon. */
const DRAINING_RETRY_MS = 1000;

/** Ends a request of which nothing was sent with a row of the error table. */
export function refused(trip: Trip, code: ErrorCode, detail: Detail = {}): Ending {
  if (trip.leaving.hasLeft) return left(trip, false);
  if (trip.outlet.hasBegun) return { kind: 'interrupted', error: trip.error('stream_interrupted'), isStream: true };
  return { kind: 'error', error: errorOf(trip, code, detail) };
}

/** Ends a request that was aborted. Nobody is there to be told, unless the router itself aborted it. */
export function left(trip: Trip, isStream: boolean): Ending {
  const { endedBy, response } = trip;
  if (endedBy === null || response.destroyed) return { kind: 'gone' };
  if (!trip.outlet.hasBegun) return { kind: 'error', error: errorOf(trip, endedBy, { message: trip.endedWith }) };
  return {
    kind: 'interrupted',
    error: trip.error('stream_interrupted', { message: trip.endedWith ?? errors[endedBy].message }),
    isStream,
  };
}

/** Ends a request that was given no slot. `hint` may say more than the table. */
export function notPlaced(
  trip: Trip,
  wait: Exclude<WaitResult, { kind: 'ready' }>,
  hint: (code: ErrorCode) => string | undefined,
): Ending {
  switch (wait.kind) {
    case 'timeout':
      return refused(trip, 'wait_timeout', wait);
    case 'deadline-unreachable':
      return refused(trip, 'deadline_unreachable', wait);
    case 'no-ready-node':
      return refused(trip, 'no_ready_node', {
        retryAfterMs: wait.retryAfterMs,
        message: hint('no_ready_node'),
      });
    case 'capacity-exceeded':
      return refused(trip, 'capacity_exceeded', wait);
    case 'draining':
      return refused(trip, 'draining');
    case 'model-not-found':
      return refused(trip, 'model_not_found', { message: hint('model_not_found') });
    case 'abandoned':
      return left(trip, false);
    case 'exhausted':
      return refused(trip, 'upstream_failed');
  }
}

function errorOf(trip: Trip, code: ErrorCode, { message, retryAfterMs = null, standing = null }: Detail): ClientError {
  const toldMs = code === 'draining' ? DRAINING_RETRY_MS : retryAfterMs;
  return trip.error(code, { message, retryAfterMs: toldMs, standing });
}
