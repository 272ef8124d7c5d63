import type { ServerResponse } from 'node:http';
import { type OllamaCommand, readCommand } from './api/ollama-command.ts';
import { attemptEnding } from './attempt-ending.ts';
import { readErrorMessage } from './attempt/scrub.ts';
import { scrubCommandJson, scrubCommandText } from './attempt/scrub-command.ts';
import { endOfStatus, retryAfterOf, verdicts } from './attempt/verdict.ts';
import { mayUse } from './auth/callers.ts';
import type { DataPlane } from './data-plane.ts';
import { type Detail, type Ending, left, refused } from './ending.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import type { NodeSnapshot } from '../fleet/snapshot.ts';
import type { PacedBody } from '../http-client/exchange.ts';
import type { ClientRequest } from './http/client-request.ts';
import { declaredLength, readBody } from './http/read-body.ts';
import { codingOf, inviteBody } from './http/request-headers.ts';
import type { CommandRoute } from './http/routes.ts';
import { CommandRelay } from './relay/command-relay.ts';
import type { RelayEnd } from './relay/relay-end.ts';
import { settle } from './settle.ts';
import { NO_BODY, Trip } from './trip.ts';

// Ollama's commands that change a node: pull, push, create, copy, delete. The corridor of a request, shorter: who, whether that key may, the
// body, the one node, its answer, the settlement. No model is placed and no slot is taken: a download computes nothing.
//
// Such a command says nothing of a node, since Ollama's clients know of one. So it is forwarded only where it cannot be meant for
// another: where the fleet has exactly one Ollama node, counting those that are away, lest a deletion go to whichever happens to
// be up. It is sent once and never again, on a connection of its own: what became of it at a node that broke off nobody knows.

const FOR_ADMINISTRATORS =
  "Clients may not change the fleet's models, unless their key may (mayManage); an administrator can, with weir models or the admin listener's API.";
const NAMES_NO_MODEL = 'The body names no model. Write "model", and for a copy "source" and "destination".';
const UNKNOWN_END =
  'The node broke off before it answered. What it did of the command is not known: look at the list of models before it is sent again.';

/** Takes one command to its node. Never rejects. */
export async function handleCommand(
  plane: DataPlane,
  route: CommandRoute,
  request: ClientRequest,
  response: ServerResponse,
): Promise<void> {
  const trip = new Trip(plane.nextId(), route, request, response, plane.clock);
  response.once('close', () => {
    if (!response.writableFinished) trip.leaving.leave();
  });
  // A write that crosses the client's leaving fails; 'close' says all there is to say of it.
  response.on('error', () => undefined);
  plane.open.add(trip);
  let ending: Ending;
  try {
    const command = await hear(plane, trip, route);
    ending = 'kind' in command ? command : await carryOut(plane, trip, route, command);
  } catch (error) {
    plane.logBug(trip.id, error);
    ending = refused(trip, 'internal_error');
  }
  trip.isAnswered = true;
  settle(plane, trip, ending);
}

/** Who, and what: until it is known what is commanded, or that it is refused. */
async function hear(plane: DataPlane, trip: Trip, route: CommandRoute): Promise<OllamaCommand | Ending> {
  const { clock, settings, deadlines } = plane;
  const { request, leaving } = trip;
  const identified = plane.callers.enter(request, plane.snapshot, clock.now(), clock.wall());
  const { caller } = identified;
  trip.caller = caller;
  if (identified.kind === 'refused') return refused(trip, identified.code, identified);
  trip.leave = identified.leave;
  if (caller.key?.mayManage !== true) return refused(trip, 'not_allowed', { message: FOR_ADMINISTRATORS });
  if (plane.draining) return refused(trip, 'draining');
  if (codingOf(request) === null) return refused(trip, 'unsupported_encoding');
  const limitBytes = settings.limits.bodyBytes;
  if (declaredLength(request) > limitBytes) return refused(trip, 'body_too_large');

  inviteBody(request, trip.response);
  trip.isReading = true;
  const body = await readBody(request, { limitBytes, timeoutMs: settings.timeouts.clientBodyMs, deadlines, leaving });
  trip.isReading = false;
  if (body.kind === 'gone') return left(trip, false);
  if (body.kind === 'too-large') return refused(trip, 'body_too_large');
  if (body.kind === 'too-slow') return refused(trip, 'body_timeout');
  if (body.kind === 'not-gzip') return refused(trip, 'invalid_encoding');
  if (body.kind === 'malformed') return refused(trip, 'invalid_header');
  trip.requestBytes = body.bytes.length;

  const command = readCommand(body.bytes);
  if (command === 'missing_model') return refused(trip, command, { message: NAMES_NO_MODEL });
  if (typeof command === 'string') return refused(trip, command);
  const [model] = command.models;
  trip.stream = command.stream && route.hasProgress;
  trip.model = canonicalModel(model);
  trip.modelOffered = plane.targets.isNamed(plane.snapshot, model);
  if (!command.models.every((name) => mayUse(caller, name))) {
    return refused(trip, 'not_allowed', { message: 'This key may manage only the models that it may use.' });
  }
  trip.body = caller.key.models === null ? body.bytes : command.written;
  return command;
}

/** Finds the one node, sends it the command, and relays what it says. */
async function carryOut(
  plane: DataPlane,
  trip: Trip,
  route: CommandRoute,
  { stream, models }: OllamaCommand,
): Promise<Ending> {
  await plane.whenSettled();
  if (trip.leaving.hasLeft) return left(trip, false);
  if (plane.draining) return refused(trip, 'draining');
  const nodes = plane.snapshot.nodes.filter((each) => each?.engine === 'ollama');
  const [node] = nodes;
  if (!node || nodes.length > 1) return refused(trip, 'not_one_node');
  if (node.state !== 'ready' || node.draining) {
    const message = 'The node that this command is for is not ready. Try again later.';
    return refused(trip, 'no_ready_node', { message, retryAfterMs: plane.errands.retryAfterMs() });
  }
  const door = plane.doors.to(node);
  const { firstByteMs, betweenBytesMs } = door.timeoutsFor(models[0]);
  const scrubbed = { baseUrl: node.baseUrl, name: node.name, apiKey: node.apiKey };
  const relay = new CommandRelay({
    outlet: trip.outlet,
    scrub: (object) => scrubCommandJson(object, scrubbed),
    headers: () => plane.answerHeaders(trip),
    firstByteMs: stream || !route.hasProgress ? firstByteMs : null,
    stuckMs: betweenBytesMs,
    deadlines: plane.deadlines,
  });
  trip.leaving.tell(() => relay.clientGone());
  trip.attempt = { relay, node };
  const startedAt = plane.clock.now();
  const { path, method } = route;
  const { id: requestId, traceparent, body } = trip;
  const contentType = 'application/json';
  const asked = { requestId, path, contentType, accept: undefined, traceparent, more: null, body: sentOnce(body) };
  relay.attach(plane.httpClient.exchange(door.target, { ...door.request(asked), method }, relay));
  trip.body = NO_BODY;
  const result = await relay.ended;
  trip.attempt = null;
  trip.leaving.tell(null);

  const { status } = result;
  const end = result.end === 'refused' ? endOfCommand(result) : result.end;
  const durationMs = plane.clock.now() - startedAt;
  const startedAfterMs = startedAt - trip.arrivedAt;
  trip.attempts.push({ nodeId: node.id, nodeName: node.name, startedAfterMs, durationMs, status, end, model: null });
  plane.tellCommand({
    requestId,
    command: route.command,
    models,
    node: { index: node.index, generation: node.generation, id: node.id, name: node.name },
    key: { id: trip.caller?.key?.id ?? '', label: trip.caller?.key?.label ?? '' },
    end,
  });
  const ending = attemptEnding(plane, trip, end, withoutPaths(result, scrubbed), scrubbed);
  if (ending) return ending;
  const { doubt, code } = verdicts[end];
  const { index, generation } = node;
  if (doubt) plane.doubt({ index, generation, reason: doubt, model: trip.model });
  return refused(trip, code, failure(plane, result, end, scrubbed));
}

/** A node's own refusal is the client's answer, that it has no such model too; what it says to the router is not. */
function endOfCommand({ status, refusal }: RelayEnd): RelayEnd['end'] & keyof typeof verdicts {
  if (status === 404) return 'client-error';
  return endOfStatus(status ?? 0, refusal ? (readErrorMessage(refusal.body) ?? '') : '');
}

type Scrubbed = Pick<NodeSnapshot, 'baseUrl' | 'name' | 'apiKey'>;

/** What else is said of an end that is nobody's answer. */
function failure(plane: DataPlane, result: RelayEnd, end: keyof typeof verdicts, node: Scrubbed): Detail {
  const { refusal, nodeMessage } = result;
  if (end === 'server-error') {
    const said = nodeMessage ?? (refusal && readErrorMessage(refusal.body));
    return said === null ? {} : { message: `The node could not do it: ${scrubCommandText(said, node)}` };
  }
  if (end === 'overloaded' || end === 'loading') {
    const saidMs = retryAfterOf(refusal?.headers['retry-after'], plane.clock.wall());
    return { retryAfterMs: saidMs ?? plane.errands.retryAfterMs() };
  }
  return end === 'connect-failed' || end === 'unauthorized' ? {} : { message: UNKNOWN_END };
}

/** Less the paths in what the node said; its addresses are taken out where it is told. */
function withoutPaths(result: RelayEnd, node: Scrubbed): RelayEnd {
  const { refusal, nodeMessage } = result;
  return {
    ...result,
    nodeMessage: nodeMessage === null ? null : scrubCommandText(nodeMessage, node),
    refusal: refusal && { ...refusal, body: scrubbedBody(refusal.body, node) },
  };
}

function scrubbedBody(body: Buffer, node: Scrubbed): Buffer {
  const text = body.toString('utf8');
  try {
    return Buffer.from(JSON.stringify(scrubCommandJson(JSON.parse(text), node)));
  } catch {
    return Buffer.from(scrubCommandText(text, node));
  }
}

/** A body that the pool cannot send again, wherever the connection breaks. */
function sentOnce(body: Buffer): PacedBody {
  return {
    bytes: body.length,
    pour: (sink) => {
      sink.write(body);
      sink.end();
    },
    pause: () => undefined,
    resume: () => undefined,
  };
}
