import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientError } from './api/dialect.ts';
import { type Call, readCall } from './api/read-call.ts';
import { nodeRequest, targetOf } from './attempt/node-request.ts';
import { readErrorMessage, scrubErrorBody, scrubMessage } from './attempt/scrub.ts';
import { coolMs, endOfStatus, retryAfterOf, type Verdict, verdicts } from './attempt/verdict.ts';
import { mayUse } from './auth/callers.ts';
import type { DataPlane } from './data-plane.ts';
import type { Grant, LeaseOutcome, NodeRef, WaitResult } from './dispatcher/ticket.ts';
import { errors } from '../fleet/errors.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import type { AttemptEnd, Outcome } from '../fleet/settlement.ts';
import { declaredLength, drainAndClose, readBody } from './http/read-body.ts';
import { sendBody, sendError } from './http/reply.ts';
import { withModel } from './relay/field-edits.ts';
import { AnswerRelay, type RelayEnd } from './relay/answer-relay.ts';
import type { InferenceRoute } from './trip.ts';
import { Trip } from './trip.ts';

// THE PATH. A request goes through it top to bottom:
//
//   headers ─▶ who ─▶ gate ─▶ read ─▶ what ─▶ admit and place ─▶ try ─▶ relay ─▶ settle
//
// Up to the first attempt every rung either hands on or ends the request with a row of the error table. The loop in `serve` is the only
// place that retries. Whatever happens, a lease is released exactly once, and the request is settled exactly once.

const MOST_ATTEMPTS = 3;

/** How the corridor was left. */
type Ending =
  /** The client has its whole answer: a node's, or a node's own 4xx. */
  | { readonly kind: 'answered'; readonly status: number }
  /** Nothing was sent yet: tell the client. */
  | { readonly kind: 'error'; readonly error: ClientError; readonly bodyUnread: boolean }
  /** The answer broke after it began: tell the client within it. */
  | { readonly kind: 'interrupted'; readonly error: ClientError; readonly isStream: boolean }
  | { readonly kind: 'gone' };

/** Takes one inference request through the corridor. Never rejects. */
export async function handleInference(
  plane: DataPlane,
  route: InferenceRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const trip = new Trip(plane.nextId(), route, request, response, plane.clock);
  const onClose = (): void => {
    if (!response.writableFinished) trip.leaving.abort();
  };
  response.once('close', onClose);
  plane.open.add(trip);
  let ending: Ending;
  try {
    ending = await travel(plane, trip);
  } catch (error) {
    plane.logBug(trip.id, error);
    ending = { kind: 'error', error: trip.error('internal_error'), bodyUnread: !request.complete };
  }
  settle(plane, trip, ending);
}

async function travel(plane: DataPlane, trip: Trip): Promise<Ending> {
  const { clock, settings } = plane;

  // who: key → caller
  const identified = plane.callers.identify(trip.request, plane.snapshot, clock.now(), clock.wall());
  if (identified.kind === 'refused') {
    return refused(trip, identified.code, { retryAfterMs: identified.retryAfterMs });
  }
  trip.caller = identified.caller;
  plane.callers.entered(trip.caller);

  // gate: what can be refused before the body is read
  if (plane.draining) return refused(trip, 'draining', { retryAfterMs: 1000 });
  const fullForMs = plane.port.refusesUnread();
  if (fullForMs !== null) return refused(trip, 'capacity_exceeded', { retryAfterMs: fullForMs });
  if (!isIdentity(trip.request.headers['content-encoding'])) return refused(trip, 'unsupported_encoding');
  const maxWaitMs = maxWaitOf(trip.request.headers['x-weir-max-wait-ms'], settings.queue.timeoutMs);
  if (maxWaitMs === null) {
    const message = 'x-weir-max-wait-ms must be a whole number of milliseconds, 0 or more.';
    return refused(trip, 'invalid_header', { message });
  }
  if (declaredLength(trip.request) > settings.limits.bodyBytes) return refused(trip, 'body_too_large');

  // read: the body, within its limits
  if (trip.request.headers.expect !== undefined) trip.response.writeContinue();
  const body = await readBody(trip.request, {
    limitBytes: settings.limits.bodyBytes,
    timeoutMs: settings.timeouts.clientBodyMs,
    clock,
    signal: trip.leaving.signal,
  });
  if (body.kind === 'gone') return left(trip);
  if (body.kind === 'too-large') return refused(trip, 'body_too_large');
  if (body.kind === 'too-slow') return refused(trip, 'body_timeout');
  trip.requestBytes = body.bytes.length;

  // what: model and stream; all else passes through
  const call = readCall(body.bytes, trip.route.dialect);
  if (typeof call === 'string') return refused(trip, call);
  trip.stream = call.stream;
  trip.model = canonicalModel(call.model);
  trip.modelOffered = plane.snapshot.models.has(trip.model);
  if (!mayUse(trip.caller, call.model)) return refused(trip, 'not_allowed');

  return serve(plane, trip, call, body.bytes, maxWaitMs);
}

/** Admit and place, try, relay: until the client has an answer or no node is left to ask. */
async function serve(plane: DataPlane, trip: Trip, call: Call, body: Buffer, maxWaitMs: number): Promise<Ending> {
  const { port } = plane;
  const model = plane.placementName(trip.route.dialect, canonicalModel(call.model));
  const ticketId = port.nextTicketId();
  const tried: NodeRef[] = [];
  const faultsIfServed: NodeRef[] = [];
  let failure: { readonly verdict: Verdict; readonly retryAfterMs: number | null } | null = null;
  let attemptsLeft = MOST_ATTEMPTS;

  for (;;) {
    const ticket = {
      id: ticketId,
      model,
      bytes: body.length,
      maxWaitMs: Math.max(0, maxWaitMs - (trip.waitMs ?? 0)),
      tried,
      readmitted: failure !== null,
    };
    const wait = await port.waitForReadyWithTimeout(ticket, trip.leaving.signal);
    trip.waited(wait.waitedMs);
    if (wait.kind === 'exhausted' && failure) {
      return refused(trip, finalCode(trip, failure.verdict), { retryAfterMs: failure.retryAfterMs });
    }
    if (wait.kind !== 'ready') return notPlaced(plane, trip, wait);

    // From here to `release` the slot is ours, whatever happens in between.
    const { grant } = wait;
    let outcome: LeaseOutcome = { kind: 'neutral' };
    try {
      const attempt = await tryNode(plane, trip, call, body, grant);
      const { verdict } = attempt;
      outcome = outcomeOf(verdict, attempt.retryAfterMs);
      if (verdict.blame === 'if-served') faultsIfServed.push(grant);
      if (attempt.end === 'complete') for (const node of faultsIfServed) port.blame(node);
      if (attempt.ending) return attempt.ending;
      if (verdict.doubt)
        plane.doubt({ index: grant.node, generation: grant.generation, reason: verdict.doubt, model: trip.model });

      if (verdict.marksTried) tried.push(refOf(grant));
      failure = attempt;
      attemptsLeft = Math.min(attemptsLeft - 1, verdict.furtherAttempts);
    } finally {
      port.release(grant.lease, outcome);
    }
    if (trip.leaving.signal.aborted) return left(trip);
    if (attemptsLeft === 0 || !port.mayRetry()) {
      return refused(trip, finalCode(trip, failure.verdict), { retryAfterMs: failure.retryAfterMs });
    }
  }
}

interface Attempt {
  readonly end: AttemptEnd;
  readonly verdict: Verdict;
  readonly retryAfterMs: number | null;
  /** Set where the request is over with this attempt. */
  readonly ending: Ending | null;
}

/** One try on one node: sends the request, relays the answer, judges the end. */
async function tryNode(plane: DataPlane, trip: Trip, call: Call, body: Buffer, grant: Grant): Promise<Attempt> {
  const { clock, settings, httpClient } = plane;
  const node = plane.snapshot.nodes[grant.node];
  if (!node || node.generation !== grant.generation) {
    return { end: 'node-lost', verdict: verdicts['node-lost'], retryAfterMs: null, ending: null };
  }
  const startedAt = clock.now();
  const relay = new AnswerRelay({
    response: trip.response,
    askedModel: call.model,
    timeouts: { ...settings.timeouts, ...node.timeouts },
    clock,
    ownHeaders: () => trip.ownHeaders(),
  });
  const outgoing = nodeRequest(node, {
    requestId: trip.id,
    path: trip.route.path,
    contentType: 'application/json',
    accept: trip.request.headers.accept,
    traceparent: trip.traceparent,
    body: grant.upstream === call.model ? body : withModel(body, grant.upstream),
  });
  const onLeave = (): void => relay.clientGone();
  trip.leaving.signal.addEventListener('abort', onLeave, { once: true });
  trip.attempt = { relay, node };
  relay.attach(httpClient.exchange(targetOf(node, settings.timeouts), outgoing, relay));
  const result = await relay.ended;
  trip.attempt = null;
  trip.leaving.signal.removeEventListener('abort', onLeave);

  trip.firstByteAt ??= result.firstByteAt;
  trip.responseBytes += result.sentBytes;
  trip.usage = result.usage ?? trip.usage;
  const message = result.refusal ? readErrorMessage(result.refusal.body) : null;
  const end = result.end === 'refused' ? endOfStatus(result.status ?? 0, message ?? '') : result.end;
  trip.attempts.push({
    nodeId: node.id,
    nodeName: node.name,
    startedAfterMs: startedAt - trip.arrivedAt,
    durationMs: clock.now() - startedAt,
    status: result.status,
    end,
  });
  const verdict = verdicts[end];
  const retryAfterMs = retryAfterOf(result.refusal?.headers['retry-after'], clock.wall());
  return { end, verdict, retryAfterMs, ending: endingOf(trip, end, result, node) };
}

/** What the end of an attempt means for the client, or null where another node is to be tried. */
function endingOf(
  trip: Trip,
  end: AttemptEnd,
  result: RelayEnd,
  node: { readonly baseUrl: string; readonly name: string },
): Ending | null {
  if (end === 'complete') return { kind: 'answered', status: result.status ?? 200 };
  if (end === 'client-gone') return left(trip);
  if (end === 'broken') {
    const message = result.nodeMessage ? scrubMessage(result.nodeMessage, node) : undefined;
    return { kind: 'interrupted', error: trip.error('stream_interrupted', { message }), isStream: result.isStream };
  }
  if (end !== 'client-error' || !result.refusal) return null;
  const { status, headers, body } = result.refusal;
  const scrubbed = scrubErrorBody(body, textOf(headers['content-type']), node);
  const said = readErrorMessage(body);
  const own = trip.error('upstream_failed', said === null ? {} : { message: scrubMessage(said, node) });
  const retryAfter = textOf(headers['retry-after']);
  const sentHeaders = [...trip.ownHeaders(), 'content-type', 'application/json'];
  if (retryAfter !== '') sentHeaders.push('retry-after', retryAfter);
  const bytes = scrubbed ?? trip.form.errorBody({ ...own, status, type: 'invalid_request_error' });
  trip.responseBytes += sendBody(trip.response, status, sentHeaders, bytes);
  return { kind: 'answered', status };
}

/** The end of a wait that brought no slot, as the client is told it. */
function notPlaced(plane: DataPlane, trip: Trip, wait: Exclude<WaitResult, { kind: 'ready' }>): Ending {
  switch (wait.kind) {
    case 'timeout':
      return refused(trip, 'wait_timeout', wait);
    case 'no-ready-node':
      return refused(trip, 'no_ready_node', { ...wait, message: plane.emptyFleetHint('no_ready_node') });
    case 'capacity-exceeded':
      return refused(trip, 'capacity_exceeded', wait);
    case 'draining':
      return refused(trip, 'draining', { retryAfterMs: 1000 });
    case 'model-not-found':
      return refused(trip, 'model_not_found', { message: plane.emptyFleetHint('model_not_found') });
    case 'abandoned':
      return left(trip);
    case 'exhausted':
      return refused(trip, 'upstream_failed');
  }
}

/** Settle: tell the client if it was not told yet, and the control plane always. */
function settle(plane: DataPlane, trip: Trip, ending: Ending): void {
  let status = 499;
  let outcome: Outcome = 'gone';
  let code = null;
  if (ending.kind === 'answered') {
    ({ status } = ending);
    outcome = 'served';
  } else if (ending.kind !== 'gone') {
    const { error } = ending;
    ({ status, code } = error);
    outcome = outcomeOfError(error, trip);
    if (ending.kind === 'interrupted') interrupt(trip, ending);
    else tell(plane, trip, ending);
  }
  if (trip.caller) plane.callers.left(trip.caller);
  plane.open.delete(trip);
  plane.settlements.add(trip.settlement(outcome, status, code, plane.clock.now()));
}

function tell(plane: DataPlane, trip: Trip, { error, bodyUnread }: Extract<Ending, { kind: 'error' }>): void {
  const headers = trip.ownHeaders();
  if (bodyUnread || plane.draining) headers.push('connection', 'close');
  trip.responseBytes += sendError(trip.response, trip.form, error, headers);
  if (bodyUnread) drainAndClose(trip.request, plane.clock);
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

function refused(
  trip: Trip,
  code: Parameters<Trip['error']>[0],
  detail: { readonly message?: string | undefined; readonly retryAfterMs?: number | null } = {},
): Ending {
  if (trip.leaving.signal.aborted) return left(trip);
  return { kind: 'error', error: trip.error(code, detail), bodyUnread: !trip.request.complete };
}

/** Nobody is there to be told, unless the router itself ended the request. */
function left(trip: Trip): Ending {
  if (trip.endedBy === null || trip.response.destroyed) return { kind: 'gone' };
  const error = trip.error(trip.endedBy, trip.endedBy === 'draining' ? { retryAfterMs: 1000 } : {});
  if (!trip.response.headersSent) return { kind: 'error', error, bodyUnread: !trip.request.complete };
  return { kind: 'interrupted', error, isStream: trip.stream };
}

/** What the client is told when no attempt is left: by the last failure; 404 only if every node said so. */
function finalCode(trip: Trip, verdict: Verdict): Verdict['code'] {
  const everyNodeSaid404 = trip.attempts.every(({ end }) => end === 'model-missing');
  return verdict.code === 'model_not_found' && !everyNodeSaid404 ? 'upstream_failed' : verdict.code;
}

function outcomeOf(verdict: Verdict, retryAfterMs: number | null): LeaseOutcome {
  switch (verdict.blame) {
    case 'served':
    case 'neutral':
    case 'fault':
    case 'unauthorized':
      return { kind: verdict.blame };
    case 'if-served':
      return { kind: 'neutral' };
    case 'overloaded':
      return { kind: 'overloaded', coolMs: coolMs(retryAfterMs) };
    case 'loading':
      return { kind: 'loading', retryAfterMs };
  }
}

function outcomeOfError(error: ClientError, trip: Trip): Outcome {
  if (error.code === 'stream_interrupted') return 'interrupted';
  if (error.code === 'wait_timeout' || (error.code === 'no_ready_node' && trip.attempts.length === 0))
    return 'timed-out';
  const { fault } = errors[error.code];
  if (fault === 'client') return 'rejected';
  return fault === 'node' || error.code === 'internal_error' || trip.attempts.length > 0 ? 'failed' : 'refused';
}

function refOf({ node, generation }: NodeRef): NodeRef {
  return { node, generation };
}

function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity';
}

/** The wait a client allows, never beyond the configured one; null where the header makes no sense. */
function maxWaitOf(header: string | string[] | undefined, configuredMs: number): number | null {
  if (header === undefined) return configuredMs;
  const ms = typeof header === 'string' && /^\d{1,15}$/.test(header.trim()) ? Number(header) : null;
  return ms === null ? null : Math.min(ms, configuredMs);
}

function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(', ') : (header ?? '');
}
