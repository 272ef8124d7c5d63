import { describeModel } from './api/ollama-show.ts';
import type { Verdict } from './attempt/verdict.ts';
import type { AttemptEnd } from '../fleet/settlement.ts';
import type { DispatchPort } from './dispatcher/dispatch-port.ts';
import type { DataPlane } from './data-plane.ts';
import { type Ending, refused } from './ending.ts';
import { modelOf } from '../fleet/offered-models.ts';
import { sendBody } from './http/reply.ts';
import type { Trip } from './trip.ts';

// How a request ends that no node served.

const UNKNOWN_TO_PROVIDER = 'The provider has no model of this name, or none that this router may use.';

/** No node has a word for what the model is: the router tells what it knows. */
export function described(plane: DataPlane, trip: Trip, asked: string): Ending {
  const model = modelOf(plane.targets.shown(plane.snapshot), asked);
  if (!model) return unspoken(trip);
  const body = Buffer.from(JSON.stringify(describeModel(model, asked)));
  trip.ownBytes += sendBody(
    trip.response,
    200,
    [...plane.answerHeaders(trip), 'content-type', 'application/json'],
    body,
  );
  return { kind: 'answered', status: 200 };
}

interface FailedAttempt {
  readonly end: AttemptEnd;
  readonly verdict: Verdict;
  readonly retryAfterMs: number | null;
}

/** Every attempt failed: told by the last one; 404 only if there is no node that did not say so. */
export async function failed(
  trip: Trip,
  port: DispatchPort,
  model: string,
  { end, verdict: { code, blame }, retryAfterMs }: FailedAttempt,
): Promise<Ending> {
  if (trip.attempts.every((each) => each.end === 'unsupported')) return unspoken(trip);
  if (end === 'model-missing' && blame === 'neutral') return refused(trip, code, { message: UNKNOWN_TO_PROVIDER });
  if (code === 'model_not_found' && !(await port.isMissingEverywhere(model))) return refused(trip, 'upstream_failed');
  if (code === 'capacity_exceeded') {
    return refused(trip, code, { retryAfterMs: retryAfterMs ?? (await port.retryAfterMs()) });
  }
  if (code === 'no_ready_node') {
    return refused(trip, code, { retryAfterMs: retryAfterMs ?? (await port.nextProbeMs(model)) });
  }
  return refused(trip, code);
}

/** The model is offered, by no node that has the endpoint. */
export function unspoken(trip: Trip): Ending {
  const message = `No node that offers this model has ${trip.route.path}. Use another endpoint, or another model.`;
  return refused(trip, 'model_not_found', { message });
}
