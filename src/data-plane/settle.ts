import type { ClientError } from './api/dialect.ts';
import type { DataPlane } from './data-plane.ts';
import type { Ending } from './ending.ts';
import { type ErrorCode, errors } from '../fleet/errors.ts';
import type { Outcome } from '../fleet/settlement.ts';
import { sendError, sendErrorUnread } from './http/reply.ts';
import { isBodyUnread } from './http/read-body.ts';
import type { Trip } from './trip.ts';

// The last rung: the client is told if it was not told yet, and the control plane always, exactly once. A request counts as
// served when its last byte has left this process, not when the node sent it: a client that stops reading, or leaves
// before the end, was not served.

/** nginx's word for a client that left. */
const LEFT = 499;

/** Settles a request that has left the corridor. */
export function settle(plane: DataPlane, trip: Trip, ending: Ending): void {
  if (ending.kind === 'answered')
    return whenDelivered(plane, trip, (isDelivered) => {
      if (isDelivered) record(plane, trip, 'served', ending.status, null);
      else record(plane, trip, 'gone', LEFT, null);
    });
  if (ending.kind === 'gone') return record(plane, trip, 'gone', LEFT, null);
  const { error } = ending;
  const outcome = outcomeOf(error, trip);
  if (ending.kind === 'interrupted') interrupt(trip, ending);
  else if (trip.outlet.isOpen) interrupt(trip, { error, isStream: true });
  else tell(plane, trip, error);
  record(plane, trip, outcome, error.status, error.code);
}

function record(plane: DataPlane, trip: Trip, outcome: Outcome, status: number, code: ErrorCode | null): void {
  trip.leave();
  plane.settlements.add(trip.settlement(outcome, status, code, plane.clock.now()));
  plane.forget(trip);
}

/** Tells whether the whole answer has left: not where the client is gone, or takes nothing for too long. */
function whenDelivered({ deadlines, settings }: DataPlane, trip: Trip, then: (isDelivered: boolean) => void): void {
  const { response, leaving } = trip;
  if (response.writableFinished || response.destroyed) return then(response.writableFinished);
  const cut = (): void => void response.destroy();
  const late = (): void => {
    if (trip.outlet.waitsForTurn) deadline = deadlines.set(withinMs, late);
    else cut();
  };
  const withinMs = settings.timeouts.betweenBytesMs;
  let deadline = deadlines.set(withinMs, late);
  leaving.tell(cut);
  response.once('close', () => {
    deadline.cancel();
    then(response.writableFinished);
  });
}

function tell(plane: DataPlane, trip: Trip, error: ClientError): void {
  const { request, response, form } = trip;
  trip.ownBytes += isBodyUnread(request)
    ? sendErrorUnread(request, response, form, error, trip.ownHeaders(), plane.clock)
    : sendError(response, form, error, plane.answerHeaders(trip));
}

function interrupt(
  trip: Trip,
  { error, isStream }: Pick<Extract<Ending, { kind: 'interrupted' }>, 'error' | 'isStream'>,
): void {
  if (isStream) trip.outlet.end(trip.form.streamError(error));
  else trip.outlet.breakOff();
}

function outcomeOf({ code }: ClientError, trip: Trip): Outcome {
  if (code === 'stream_interrupted') return 'interrupted';
  if (code === 'wait_timeout' || (code === 'no_ready_node' && trip.attempts.length === 0)) return 'timed-out';
  const { fault } = errors[code];
  if (fault === 'client') return 'rejected';
  return fault === 'node' || code === 'internal_error' || trip.attempts.length > 0 ? 'failed' : 'refused';
}
