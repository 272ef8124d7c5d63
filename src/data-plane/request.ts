import type { ServerResponse } from 'node:http';
import { mayUse } from './auth/callers.ts';
import { type AnyCall, isUpload, readAnyCall } from './calls.ts';
import type { DataPlane } from './data-plane.ts';
import type { Asking } from './asking.ts';
import type { Grant, LeaseOutcome, NodeRef } from './dispatcher/ticket.ts';
import { claimOf, learns } from './claim.ts';
import { type Ending, left, notPlaced, refused } from './ending.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import type { Usage } from '../fleet/settlement.ts';
import type { ClientRequest } from './http/client-request.ts';
import { declaredLength, readBody } from './http/read-body.ts';
import { codingOf, inviteBody, isComingAtOnce, maxWaitOf, resumeOf } from './http/request-headers.ts';
import type { NodeRoute } from './http/routes.ts';
import { type Urgency, urgencyOf } from './http/urgency.ts';
import { failed, unspokenAnswer } from './failing.ts';
import { KeepAlive } from './keep-alive.ts';
import { leaseOutcome } from './lease-outcome.ts';
import { hopefuller, legOf, mayPassOn, type NamedLeg } from './legs.ts';
import { missingHint } from './missing-hint.ts';
import { cannotContinue, Resumption } from './resumption.ts';
import { settle } from './settle.ts';
import { type Attempt, tryNode } from './try-node.ts';
import { hasReadyNode } from './targets.ts';
import { Trip } from './trip.ts';
import { endUpload, readHead, scanOf } from './uploads.ts';

// THE PATH. A request goes through it top to bottom:
//
//   headers ─▶ who ─▶ gate ─▶ read ─▶ what ─▶ admit and place ─▶ try ─▶ relay ─▶ settle
//
// Up to the first attempt every rung either hands on or ends the request with a row of the error table. The loop in `serveBy` is the only
// place that retries; the one in `serve` goes from model to model where an alias names several. Whatever happens, a lease is released
// exactly once, and the request is settled exactly once.

/** How long a small body is waited for where its request will certainly be refused. */
const AT_ONCE_MS = 250;
const MALFORMED_BODY = 'The body is not well-formed HTTP/1.1: its chunks are broken.';

/** Takes one inference request through the corridor. Never rejects. */
export async function handleInference(
  plane: DataPlane,
  route: NodeRoute,
  request: ClientRequest,
  response: ServerResponse,
): Promise<void> {
  const trip = new Trip(plane.nextId(), route, request, response, plane.clock);
  response.once('close', () => {
    if (!response.writableFinished) trip.leaving.leave();
  });
  // A write that crosses the client's leaving fails; 'close' says all there is to say of it.
  response.on('error', ignore);
  plane.open.add(trip);
  let ending: Ending;
  try {
    const asked = await hear(plane, trip);
    ending = 'kind' in asked ? asked : await serve(plane, trip, asked);
  } catch (error) {
    plane.logBug(trip.id, error);
    ending = trip.outlet.hasBegun
      ? { kind: 'interrupted', error: trip.error('stream_interrupted'), isStream: false }
      : refused(trip, 'internal_error');
  }
  trip.keepAlive?.end();
  endUpload(trip);
  trip.isAnswered = true;
  settle(plane, trip, ending);
}

/** What a request asks for, once it was let in and heard out. */
interface Asked {
  readonly call: AnyCall;
  /** The models that may serve it, in the order to try: the one asked for, or those that an alias stands for. */
  readonly names: readonly string[];
  readonly maxWaitMs: number;
  readonly urgency: Urgency;
}

/** Who, gate, read, what: until it is known what is asked for, or that it is refused. */
async function hear(plane: DataPlane, trip: Trip): Promise<Asked | Ending> {
  const { clock, settings } = plane;

  // who: key → caller
  const identified = plane.callers.enter(trip.request, plane.snapshot, clock.now(), clock.wall());
  trip.caller = identified.caller;
  if (identified.kind === 'refused') return refused(trip, identified.code, identified);
  trip.leave = identified.leave;

  // gate: what can be refused before the body is read
  if (plane.draining) return refused(trip, 'draining');
  const port = plane.portOf(trip);
  const urgency = urgencyOf(trip.request.headers, trip.caller.key);
  if (typeof urgency === 'string') return refused(trip, 'invalid_header', { message: urgency });
  // Places that are kept for the urgent may be left where there are none for others.
  const mayBeFull = urgency.priority !== 'high' || settings.queue.reserved === 0;
  const full = mayBeFull ? port.refusesUnread() : null;
  if (full !== null && !isComingAtOnce(trip.request)) return refused(trip, 'capacity_exceeded', full);
  if (codingOf(trip.request) === null) return refused(trip, 'unsupported_encoding');
  const maxWaitMs = maxWaitOf(trip.request.headers['x-weir-max-wait-ms'], settings.queue.timeoutMs);
  if (maxWaitMs === null) {
    const message = 'x-weir-max-wait-ms must be a whole number of milliseconds, 0 or more.';
    return refused(trip, 'invalid_header', { message });
  }
  const mayResume = settings.streams.resume && (trip.caller.key?.resume ?? true);
  const resume = resumeOf(trip.request.headers['x-weir-resume'], mayResume);
  if (resume === null) return refused(trip, 'invalid_header', { message: 'x-weir-resume must be on or off.' });
  if (declaredLength(trip.request) > settings.limits.bodyBytes) return refused(trip, 'body_too_large');

  // read: the body, within its limits; of a long form what must be known to place it
  inviteBody(trip.request, trip.response);
  trip.isReading = true;
  const scan = full === null ? scanOf(trip) : null;
  const body = scan
    ? await readHead(plane, trip, scan)
    : await readBody(trip.request, {
        limitBytes: settings.limits.bodyBytes,
        timeoutMs: full === null ? settings.timeouts.clientBodyMs : AT_ONCE_MS,
        deadlines: plane.deadlines,
        leaving: trip.leaving,
      });
  trip.isReading = false;
  if (body.kind === 'gone') return left(trip, false);
  if (body.kind === 'too-large') return refused(trip, 'body_too_large');
  if (body.kind === 'too-slow')
    return full === null ? refused(trip, 'body_timeout') : refused(trip, 'capacity_exceeded', full);
  if (body.kind === 'not-gzip') return refused(trip, 'invalid_encoding');
  if (body.kind === 'malformed') return refused(trip, 'invalid_header', { message: MALFORMED_BODY });
  trip.body = body.bytes;
  trip.requestBytes = trip.upload?.expectedBytes ?? body.bytes.length;
  if (full !== null && port.stillRefusesUnread()) return refused(trip, 'capacity_exceeded', full);

  // what: model and stream; all else passes through
  const begun = trip.upload === null ? null : scan?.call;
  const call = begun ?? readAnyCall(trip.body, trip.route, trip.request.headers['content-type']);
  if (typeof call === 'string') return refused(trip, call);
  trip.stream = call.stream;
  trip.model = canonicalModel(call.model);
  trip.modelOffered = plane.targets.isNamed(plane.snapshot, call.model);
  const { caller } = identified;
  const names = plane.targets.of(call.model, (name) => mayUse(caller, name));
  if (names.length === 0) return refused(trip, 'not_allowed');

  if (trip.stream) trip.keepAlive = new KeepAlive(plane, trip);
  if (!isUpload(call) && call.isPlainText && resume) trip.resumption = new Resumption(trip.route.path, trip.body);
  return { call, names, maxWaitMs, urgency };
}

/** By the one model that is asked for, or by those that an alias stands for. */
function serve(plane: DataPlane, trip: Trip, asked: Asked): Promise<Ending> {
  const { call, names, maxWaitMs, urgency } = asked;
  const port = plane.portOf(trip);
  const ticketId = port.nextTicketId();
  trip.keepAlive?.waitsAt(port, ticketId);
  const [name] = names;
  if (name === undefined || names.length > 1) return serveInOrder(plane, trip, asked, ticketId);
  const { waitUntilMs, attemptsLeft } = legOf(trip, maxWaitMs, 0);
  return serveBy(plane, trip, call, { waitUntilMs, attemptsLeft, name, ticketId, urgency });
}

/** One model after the other, until the client has an answer or none is left that could give it. */
async function serveInOrder(
  plane: DataPlane,
  trip: Trip,
  { call, names, maxWaitMs, urgency }: Asked,
  ticketId: number,
): Promise<Ending> {
  const port = plane.portOf(trip);
  // A node not yet looked at is not passed over for the next one.
  await plane.whenSettled();
  let told: Ending | null = null;
  for (const [at, name] of names.entries()) {
    const later = names.length - 1 - at;
    if (later > 0 && !hasReadyNode(plane.snapshot, name)) continue;
    if (trip.attempts.length > 0 && !(await port.mayRetry())) break;
    const leg = legOf(trip, maxWaitMs, later, plane.targets.mostWaitMs(call.model));
    const ending = await serveBy(plane, trip, call, { ...leg, name, ticketId, urgency });
    told = hopefuller(told, ending);
    if (later === 0 || trip.upload?.isSpent || !mayPassOn(ending, trip, isUpload(call))) break;
  }
  return told ?? refused(trip, 'no_ready_node');
}

/** Admit and place, try, relay: until the client has an answer or no node of this model is left to ask. */
async function serveBy(plane: DataPlane, trip: Trip, call: AnyCall, leg: NamedLeg): Promise<Ending> {
  const { name, ticketId, urgency, waitUntilMs } = leg;
  const port = plane.portOf(trip);
  const asking = plane.planAsking(trip, call, name);
  if (asking.kind === 'unspoken') return unspokenAnswer(plane, trip, call.model);
  if (asking.kind === 'untranslatable') return refused(trip, 'unsupported_field', asking.problem);
  const { model, tried } = asking;
  const isReadmitted = trip.attempts.length > 0;
  const claim = claimOf(trip, { ...call, urgency }, learns(plane.settings));
  const faultsIfServed: NodeRef[] = [];
  let failure: Attempt | null = null;
  let { attemptsLeft } = leg;

  for (;;) {
    const ticket = {
      id: ticketId,
      model,
      bytes: trip.upload === null ? trip.requestBytes : trip.body.length,
      maxWaitMs: Math.max(0, waitUntilMs - (trip.waitMs ?? 0)),
      tried,
      readmitted: isReadmitted || failure !== null,
      claim,
    };
    const wait = await port.waitForReadyWithTimeout(ticket, trip.leaving);
    trip.waited(wait.waitedMs);
    if (wait.kind === 'exhausted' && failure) return failed(plane, trip, model, failure);
    // Of the nodes that speak it none is up.
    if (wait.kind === 'exhausted')
      return refused(trip, 'no_ready_node', { retryAfterMs: await port.nextProbeMs(model) });
    if (wait.kind !== 'ready') return notPlaced(trip, wait, (code) => missingHint(plane.snapshot, code, name));

    // From here to `release` the slot is ours, whatever happens in between.
    const { grant } = wait;
    let outcome: LeaseOutcome = { kind: 'neutral' };
    let usage: Usage | null = null;
    try {
      const attempt = await tryNode(plane, trip, call, name, asking, grant);
      const { verdict } = attempt;
      outcome = leaseOutcome(verdict, attempt.retryAfterMs);
      usage = attempt.usage;
      if (verdict.blame === 'if-served') faultsIfServed.push(grant);
      if (attempt.end === 'complete') for (const node of faultsIfServed) port.blame(node);
      if (attempt.ending) return attempt.ending;
      if (attempt.end === 'broken') tried.push(...cannotContinue(plane.snapshot, model));
      const { node: index, generation } = grant;
      if (verdict.doubt) plane.doubt({ index, generation, reason: verdict.doubt, model: trip.model });
      failure = attempt;
      const isUnspoken = attempt.end === 'unsupported' && !attempt.isTold;
      // What is not noted counts as an attempt, or every node of a large fleet would be asked each time.
      if (isUnspoken && trip.route.speech !== null) plane.noteUnspoken(trip, grant);
      else attemptsLeft = Math.min(attemptsLeft - 1, verdict.furtherAttempts);
      // Having found out that it does not speak the client's dialect, it is asked again in its own.
      const isSpokenTo = isUnspoken && canTranslate(plane, asking, grant);
      if (verdict.marksTried && !isSpokenTo) tried.push(refOf(grant));
      // An upload that may have reached a node is not sent again.
      if (isUpload(call) && (attempt.end !== 'connect-failed' || trip.upload?.isSpent)) attemptsLeft = 0;
    } finally {
      port.release(grant.lease, outcome, usage);
    }
    if (trip.leaving.hasLeft) return left(trip, false);
    if (attemptsLeft === 0 || !(await port.mayRetry())) return failed(plane, trip, model, failure);
  }
}

function canTranslate(plane: DataPlane, { translated }: Asking, grant: Grant): boolean {
  const node = plane.snapshot.nodes[grant.node];
  return translated !== null && node?.generation === grant.generation && translated.problemFor(node) === null;
}

function ignore(): void {}

function refOf({ node, generation }: NodeRef): NodeRef {
  return { node, generation };
}
