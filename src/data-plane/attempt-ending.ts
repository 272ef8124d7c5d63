import { readErrorMessage, scrubErrorBody, scrubMessage, type ScrubbedNode } from './attempt/scrub.ts';
import { retryAfterOf } from './attempt/verdict.ts';
import type { DataPlane } from './data-plane.ts';
import { type Ending, left, refused } from './ending.ts';
import type { AttemptEnd } from '../fleet/settlement.ts';
import { isBodyUnread } from './http/read-body.ts';
import { retryHeaders, sendBody, sendBodyUnread } from './http/reply.ts';
import { textOf } from './relay/answer-head.ts';
import type { Refusal, RelayEnd } from './relay/relay-end.ts';
import type { Trip } from './trip.ts';

/** What the end of an attempt means for the client, or null where another node is to be tried. */
export function attemptEnding(
  plane: DataPlane,
  trip: Trip,
  end: AttemptEnd,
  result: RelayEnd,
  node: ScrubbedNode,
): Ending | null {
  if (end === 'complete') return { kind: 'answered', status: result.status ?? 200 };
  if (end === 'client-gone') return left(trip, result.isStream);
  // It goes on at another node.
  if (end === 'broken' && result.nodeMessage === null && trip.resumption?.isPossible) return null;
  if (end === 'broken') {
    const message = result.nodeMessage ? scrubMessage(result.nodeMessage, node) : undefined;
    return { kind: 'interrupted', error: trip.error('stream_interrupted', { message }), isStream: result.isStream };
  }
  return end === 'client-error' && result.refusal ? relayRefusal(plane, trip, result.refusal, node) : null;
}

/** A node's own 4xx is the client's answer, less what tells which node it was. */
function relayRefusal(plane: DataPlane, trip: Trip, { status, headers, body }: Refusal, node: ScrubbedNode): Ending {
  const said = readErrorMessage(body);
  const own = trip.error('request_rejected', said === null ? {} : { message: scrubMessage(said, node) });
  const scrubbed = scrubErrorBody(body, textOf(headers['content-type']), node);
  if (trip.outlet.hasBegun) return refused(trip, 'stream_interrupted');
  // Its client waits in a stream that is open by now.
  if (trip.outlet.isOpen) return { kind: 'error', error: own };
  const isUnderstood = scrubbed !== null && (trip.form.isOwnError?.(scrubbed) ?? true);
  const bytes = isUnderstood ? scrubbed : trip.form.errorBody({ ...own, status, type: 'invalid_request_error' });
  const retryAfterMs = retryAfterOf(headers['retry-after'], plane.clock.wall());
  const sent = [...retryHeaders({ code: own.code, retryAfterMs }), 'content-type', 'application/json'];
  // A node may refuse an upload before it is through.
  trip.ownBytes += isBodyUnread(trip.request)
    ? sendBodyUnread(trip.request, trip.response, status, [...trip.ownHeaders(), ...sent], bytes, plane.clock)
    : sendBody(trip.response, status, [...plane.answerHeaders(trip), ...sent], bytes);
  return { kind: 'answered', status };
}
