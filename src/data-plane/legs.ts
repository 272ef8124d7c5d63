import { type Ending } from './ending.ts';
import { type ErrorCode, errors } from '../fleet/errors.ts';
import type { Urgency } from './http/urgency.ts';
import type { Trip } from './trip.ts';

// A request by an alias goes from model to model like a traveller who changes trains: this says how long it may wait for each, how
// often it may be tried there, and after which endings it goes on. The bounds of a request hold for the whole of it: it waits no longer
// and is tried no more often than for a single model.

/** Over all models. */
export const MOST_ATTEMPTS = 3;

/** Nothing has been sent, and another model may be able to. */
const passedOn: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'capacity_exceeded',
  'deadline_unreachable',
  'wait_timeout',
  'no_ready_node',
  'model_not_found',
  'unsupported_field',
  'upstream_failed',
  'upstream_timeout',
]);

/** The part of a request that is spent on one model. */
export interface Leg {
  /** In ms waited since its arrival, by when it must have been placed. */
  readonly waitUntilMs: number;
  readonly attemptsLeft: number;
}

export interface NamedLeg extends Leg {
  /** The model, as written. */
  readonly name: string;
  readonly ticketId: number;
  readonly urgency: Urgency;
}

/** What a model may take of the request where others, `later`, are there to stand in: an even share of the wait, at most `mostWaitMs`, and one attempt left for each. */
export function legOf(
  { waitMs, attempts }: Pick<Trip, 'waitMs' | 'attempts'>,
  maxWaitMs: number,
  later: number,
  mostWaitMs = Infinity,
): Leg {
  const waitedMs = waitMs ?? 0;
  const left = Math.max(0, maxWaitMs - waitedMs);
  return {
    waitUntilMs: waitedMs + (later === 0 ? left : Math.min(mostWaitMs, left / (later + 1))),
    attemptsLeft: Math.max(1, MOST_ATTEMPTS - attempts.length - later),
  };
}

/** May the next model be tried after such an ending? An upload that may have reached a node is not sent again. */
export function mayPassOn(
  ending: Ending,
  { attempts, outlet }: Pick<Trip, 'attempts'> & { readonly outlet: Pick<Trip['outlet'], 'hasBegun'> },
  isUpload: boolean,
): boolean {
  if (outlet.hasBegun) return false;
  if (ending.kind !== 'error' || !passedOn.has(ending.error.code) || attempts.length >= MOST_ATTEMPTS) return false;
  return !isUpload || attempts.every(({ end }) => end === 'connect-failed');
}

/** What the client is told: the last ending, unless an earlier one leaves hope that the same request succeeds later. */
export function hopefuller(earlier: Ending | null, last: Ending): Ending {
  if (earlier?.kind !== 'error' || last.kind !== 'error') return last;
  return errors[earlier.error.code].retryable && !errors[last.error.code].retryable ? earlier : last;
}
