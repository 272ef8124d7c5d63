import { type Asking, plainCall } from './asking.ts';
import { endOfProviderStatus, providerVerdict, retryDelayOf } from './attempt/provider-verdict.ts';
import { readErrorMessage } from './attempt/scrub.ts';
import { endOfStatus, lacksEndpoint, retryAfterOf, type Verdict, verdicts } from './attempt/verdict.ts';
import { attemptEnding } from './attempt-ending.ts';
import type { AnyCall } from './calls.ts';
import type { DataPlane } from './data-plane.ts';
import type { Grant } from './dispatcher/ticket.ts';
import type { Ending } from './ending.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import { upstreamName } from '../fleet/offered-models.ts';
import type { AttemptEnd, Usage } from '../fleet/settlement.ts';
import type { NodeSnapshot } from '../fleet/snapshot.ts';
import { versionHeaders } from './http/request-headers.ts';
import { MOST_ATTEMPTS } from './legs.ts';
import { AnswerRelay } from './relay/answer-relay.ts';
import { NO_BODY, type Trip } from './trip.ts';
import { headersOfAnswer } from './uploads.ts';

// Try and relay: what one node is asked, what of its answer reaches the client, and what its end means. Whether another node is tried is
// the loop's to judge (request.ts).

/** What every node has: a 404 there is about the model. Elsewhere it says so only if it speaks of a model. */
const CHAT_PATH = '/v1/chat/completions';

/** How one try ended. */
export interface Attempt {
  readonly end: AttemptEnd;
  readonly verdict: Verdict;
  readonly retryAfterMs: number | null;
  readonly usage: Usage | null;
  /** It was asked in another dialect than the client's. */
  readonly isTold: boolean;
  /** Set where the request is over with this attempt. */
  readonly ending: Ending | null;
}

/** One try on one node: sends the request, relays the answer, judges the end. */
export async function tryNode(
  plane: DataPlane,
  trip: Trip,
  call: AnyCall,
  name: string,
  asking: Asking,
  grant: Grant,
): Promise<Attempt> {
  const { clock, deadlines, httpClient } = plane;
  const node = plane.snapshot.nodes[grant.node];
  if (!node || node.generation !== grant.generation) return unasked('node-lost');
  const startedAt = clock.now();
  const contentType = trip.request.headers['content-type'];
  const upstream = upstreamName(name, grant.upstream);
  const isResumed = trip.outlet.hasBegun;
  const transcript = trip.resumption?.transcript ?? null;
  if (!isResumed) transcript?.reset();
  const asked = isResumed
    ? (trip.resumption?.callFor(node, upstream) ?? null)
    : asking.translated?.isNeededFor(node, startedAt)
      ? asking.translated.callFor(node, upstream)
      : plainCall(trip.route, call, contentType, trip.body, upstream);
  if (asked === null) return unasked('unsupported');
  const { telling } = asked;
  const { upload } = trip;
  const door = plane.doors.to(node);
  const relay = new AnswerRelay({
    outlet: trip.outlet,
    askedModel: call.model,
    mayPass: trip.route.answer === 'any',
    telling,
    transcript,
    timeouts: door.timeoutsFor(name),
    sentAt: upload ? () => upload.movedAt : null,
    clock,
    deadlines,
    begin: () => begun(plane, trip, asking, grant),
  });
  trip.leaving.tell(() => relay.clientGone());
  trip.attempt = { relay, node };
  // Built in place: a name for it would keep it, body and all, as long as the answer takes.
  const exchange = httpClient.exchange(
    door.target,
    door.request({
      requestId: trip.id,
      path: asked.path,
      contentType: asked.contentType,
      accept: telling ? undefined : trip.request.headers.accept,
      traceparent: trip.traceparent,
      more: trip.route.dialect === 'anthropic' && !telling ? versionHeaders(trip.request) : null,
      body: upload && asked.body instanceof Buffer ? upload.behind(asked.body) : asked.body,
    }),
    relay,
  );
  relay.attach(exchange);
  const result = await relay.ended;
  trip.attempt = null;
  trip.leaving.tell(null);

  const used = isResumed ? (trip.resumption?.usageOf(result.usage) ?? null) : result.usage;
  trip.usage = used ?? trip.usage;
  const message = result.refusal ? readErrorMessage(result.refusal.body) : null;
  const notAllHaveIt = asked.path !== CHAT_PATH;
  const end =
    result.end === 'refused' ? endOfRefusal(node, notAllHaveIt, result.status ?? 0, message ?? '') : result.end;
  trip.attempts.push({
    nodeId: node.id,
    nodeName: node.name,
    startedAfterMs: startedAt - trip.arrivedAt,
    durationMs: clock.now() - startedAt,
    status: result.status,
    end,
    model: name === call.model ? null : canonicalModel(name),
  });
  const verdict = node.provider ? providerVerdict(end, result.status) : verdicts[end];
  const { baseUrl, apiKey } = node;
  const scrubbed = {
    baseUrl,
    name: node.provider ? null : node.name,
    apiKey,
    model: { own: upstream, asked: call.model },
  };
  const said = retryAfterOf(result.refusal?.headers['retry-after'], clock.wall());
  const retryAfterMs = said ?? (node.provider && result.refusal ? retryDelayOf(result.refusal.body) : null);
  const { usage } = result;
  const isTold = telling !== null;
  const ending = attemptEnding(plane, trip, end, result, scrubbed);
  if (end !== 'broken' || ending !== null) return { end, verdict, retryAfterMs, usage, isTold, ending };
  trip.resumption?.broke(usage);
  return { end, verdict: { ...verdict, furtherAttempts: MOST_ATTEMPTS }, retryAfterMs, usage, isTold, ending };
}

/** The answer has begun: it is asked for once more only where it breaks and can be resumed. */
function begun(plane: DataPlane, trip: Trip, asking: Asking, { lease }: Grant): string[] {
  if (trip.stream) plane.portOf(trip).firstToken(lease);
  trip.body = NO_BODY;
  trip.keepAlive?.end();
  asking.translated?.release();
  return headersOfAnswer(plane, trip);
}

function endOfRefusal({ provider }: NodeSnapshot, notAllHaveIt: boolean, status: number, message: string): AttemptEnd {
  if (provider) return endOfProviderStatus(status, message);
  return notAllHaveIt && lacksEndpoint(status, message) ? 'unsupported' : endOfStatus(status, message);
}

/** An attempt of which no node heard. */
function unasked(end: AttemptEnd): Attempt {
  return { end, verdict: verdicts[end], retryAfterMs: null, usage: null, isTold: false, ending: null };
}
