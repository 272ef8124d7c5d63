import type { ClientError } from './api/dialect.ts';
import type { DataPlane } from './data-plane.ts';
import type { Ending } from './ending.ts';
import { errors } from '../fleet/errors.ts';
import type { Outcome } from '../fleet/settlement.ts';
import { sendError, sendErrorUnread } from './http/reply.ts';
import { isBodyUnread } from './http/read-body.ts';
import type { Clock } from '../lib/clock.ts';
import type { Trip } from './trip.ts';

// The last rung: the client is told if it was not told yet, and the control plane always, exactly once. A request counts as
// served when its last byte has left this process, not when the node sent it: a client that stops reading, or leaves
// before the end, was not served.

/** Settles a request that has left the corridor. */
export async function settle(plane: DataPlane, trip: Trip, ending: Ending): Promise<void> {
  let status = 499;
  let outcome: Outcome = 'gone';
  let code = null;
  if (ending.kind === 'answered') {
    if (await isDelivered(trip, plane.clock, plane.settings.timeouts.betweenBytesMs)) {
      ({ status } = ending);
      outcome = 'served';
    }
  } else if (ending.kind !== 'gone') {
    const { error } = ending;
    ({ status, code } = error);
    outcome = outcomeOf(error, trip);
    if (ending.kind === 'interrupted') interrupt(trip, ending);
    else tell(plane, trip, error);
  }
  trip.leave();
  plane.open.delete(trip);
  plane.settlements.add(trip.settlement(outcome, status, code, plane.clock.now()));
}

/** Resolves when the whole answer has left, or false when that will not happen: the client is gone or takes nothing for `withinMs`. */
function isDelivered({ response, leaving }: Trip, clock: Clock, withinMs: number): Promise<boolean> {
  if (response.writableFinished) return Promise.resolve(true);
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const cut = (): void => void response.destroy();
    const stop = clock.after(withinMs, cut);
    leaving.signal.addEventListener('abort', cut, { once: true });
    response.once('close', () => {
      stop();
      leaving.signal.removeEventListener('abort', cut);
      resolve(response.writableFinished);
    });
  });
}

function tell(plane: DataPlane, trip: Trip, error: ClientError): void {
  const { request, response, form } = trip;
  trip.responseBytes += isBodyUnread(request)
    ? sendErrorUnread(request, response, form, error, trip.ownHeaders(), plane.clock)
    : sendError(response, form, error, plane.answerHeaders(trip));
}

function interrupt(trip: Trip, { error, isStream }: Extract<Ending, { kind: 'interrupted' }>): void {
  if (!isStream) {
    trip.response.destroy();
    return;
  }
  const event = trip.form.streamError(error);
  trip.responseBytes += event.length;
  trip.response.end(event);
}

function outcomeOf({ code }: ClientError, trip: Trip): Outcome {
  if (code === 'stream_interrupted') return 'interrupted';
  if (code === 'wait_timeout' || (code === 'no_ready_node' && trip.attempts.length === 0)) return 'timed-out';
  const { fault } = errors[code];
  if (fault === 'client') return 'rejected';
  return fault === 'node' || code === 'internal_error' || trip.attempts.length > 0 ? 'failed' : 'refused';
}
