import { describeModel } from './api/ollama-show.ts';
import type { Verdict } from './attempt/verdict.ts';
import type { DispatchPort } from './dispatcher/dispatch-port.ts';
import type { DataPlane } from './data-plane.ts';
import { type Ending, refused } from './ending.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import { sendBody } from './http/reply.ts';
import type { Trip } from './trip.ts';

// How a request ends that no node served.

/** No node has a word for what the model is: the router tells what it knows. */
export function described(plane: DataPlane, trip: Trip, asked: string): Ending {
  const model = plane.snapshot.models.get(canonicalModel(asked));
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

/** Every attempt failed: told by the last one; 404 only if there is no node that did not say so. */
export async function failed(
  trip: Trip,
  port: DispatchPort,
  model: string,
  { verdict: { code }, retryAfterMs }: { readonly verdict: Verdict; readonly retryAfterMs: number | null },
): Promise<Ending> {
  if (trip.attempts.every(({ end }) => end === 'unsupported')) return unspoken(trip);
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
