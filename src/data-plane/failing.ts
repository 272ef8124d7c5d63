import { guessedCount } from './api/anthropic-count.ts';
import { describeModel } from './api/ollama-show.ts';
import type { Verdict } from './attempt/verdict.ts';
import type { AttemptEnd } from '../fleet/settlement.ts';
import type { DataPlane } from './data-plane.ts';
import { type Ending, refused } from './ending.ts';
import { modelOf } from '../fleet/offered-models.ts';
import { sendBody } from './http/reply.ts';
import type { Trip } from './trip.ts';

// How a request ends that no node served.

const UNKNOWN_TO_PROVIDER = 'The provider has no model of this name, or none that this router may use.';

/** No node has a word for what the model is: the router tells what it knows. */
function described(plane: DataPlane, trip: Trip, asked: string): Ending {
  const model = modelOf(plane.targets.shown(plane.snapshot), asked);
  return model ? told(plane, trip, describeModel(model, asked)) : unspoken(trip);
}

/** No node has the endpoint: the router answers by itself what it can. */
export function unspokenAnswer(plane: DataPlane, trip: Trip, asked: string): Ending {
  if (trip.route.isAboutModel) return described(plane, trip, asked);
  if (trip.route.speech !== 'count-tokens') return unspoken(trip);
  const call: Readonly<Record<string, unknown>> = JSON.parse(trip.body.toString());
  return told(plane, trip, guessedCount(call));
}

function told(plane: DataPlane, trip: Trip, answer: object): Ending {
  const headers = [...plane.answerHeaders(trip), 'content-type', 'application/json'];
  trip.ownBytes += sendBody(trip.response, 200, headers, Buffer.from(JSON.stringify(answer)));
  return { kind: 'answered', status: 200 };
}

interface FailedAttempt {
  readonly end: AttemptEnd;
  readonly verdict: Verdict;
  readonly retryAfterMs: number | null;
}

/** Every attempt failed: told by the last one; 404 only if there is no node that did not say so. */
export async function failed(
  plane: DataPlane,
  trip: Trip,
  model: string,
  { end, verdict: { code, blame }, retryAfterMs }: FailedAttempt,
): Promise<Ending> {
  const port = plane.portOf(trip);
  if (trip.attempts.every((each) => each.end === 'unsupported')) return unspokenAnswer(plane, trip, model);
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
function unspoken(trip: Trip): Ending {
  const message = `No node that offers this model has ${trip.route.path}. Use another endpoint, or another model.`;
  return refused(trip, 'model_not_found', { message });
}
