import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientError, DialectForm } from '../api/dialect.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { isBodyUnread } from './read-body.ts';
import { endUnread } from './linger.ts';

// Answers the router gives by itself. `Retry-After` is told as SDKs honour it: whole seconds from 1 to 60 with the exact
// milliseconds beside it; what lies beyond is 60 with a word that retrying by itself is of no use.

const MOST_RETRY_MS = 60_000;

/** The headers for telling when to come back; none where nothing is told. */
export function retryHeaders(error: Pick<ClientError, 'code' | 'retryAfterMs'>): string[] {
  const { code, retryAfterMs } = error;
  if (retryAfterMs === null) return code === 'model_not_found' ? ['x-should-retry', 'false'] : [];
  const isBeyond = retryAfterMs > MOST_RETRY_MS;
  const ms = Math.ceil(Math.min(MOST_RETRY_MS, Math.max(1000, retryAfterMs)));
  const headers = ['retry-after', String(Math.ceil(ms / 1000)), 'retry-after-ms', String(ms)];
  return isBeyond ? [...headers, 'x-should-retry', 'false'] : headers;
}

/** What a refusal tells beside its sentence: where the request would have stood, or how its body may be packed (RFC 7694). */
function refusalHeaders({ code, standing }: ClientError): string[] {
  if (code === 'unsupported_encoding') return ['accept-encoding', 'gzip'];
  if (standing === null) return [];
  const waitMs = String(Math.round(standing.estimatedWaitMs));
  return ['x-weir-queue-position', String(standing.position), 'x-weir-estimated-wait-ms', waitMs];
}

/** Sends an error that is the whole answer, in the dialect's form. Returns the bytes of its body. */
export function sendError(
  response: ServerResponse,
  form: DialectForm,
  error: ClientError,
  ownHeaders: readonly string[],
): number {
  const body = form.errorBody(error);
  return sendBody(
    response,
    error.status,
    [...ownHeaders, ...retryHeaders(error), ...refusalHeaders(error), 'content-type', 'application/json'],
    body,
  );
}

/** Sends an error to a client that may still be sending its body, and closes the connection. Returns the bytes of its body. */
export function sendErrorUnread(
  request: IncomingMessage,
  response: ServerResponse,
  form: DialectForm,
  error: ClientError,
  ownHeaders: readonly string[],
  clock: Clock,
): number {
  const headers = [...ownHeaders, ...retryHeaders(error), ...refusalHeaders(error), 'content-type', 'application/json'];
  return sendBodyUnread(request, response, error.status, headers, form.errorBody(error), clock);
}

/** As `sendErrorUnread`, with any body. */
export function sendBodyUnread(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: readonly string[],
  body: Buffer,
  clock: Clock,
): number {
  if (response.headersSent || response.destroyed) return 0;
  response.writeHead(status, [...headers, 'connection', 'close', 'content-length', String(body.length)]);
  response.write(body);
  endUnread(request, response, clock);
  return body.length;
}

/** Sends a whole answer. Returns the bytes of its body. */
export function sendBody(response: ServerResponse, status: number, headers: readonly string[], body: Buffer): number {
  if (response.headersSent || response.destroyed) return 0;
  response.writeHead(status, [...headers, 'content-length', String(body.length)]);
  response.end(body);
  return body.length;
}

/** Sends an answer without a body; to a client that may still be sending one, as the last on its connection. */
export function sendNothing(
  request: IncomingMessage,
  response: ServerResponse,
  headers: readonly string[],
  clock: Clock,
): void {
  const isUnread = isBodyUnread(request);
  response.writeHead(204, isUnread ? [...headers, 'connection', 'close'] : [...headers]);
  if (!isUnread) return void response.end();
  response.flushHeaders();
  endUnread(request, response, clock);
}

/** Sends a whole JSON answer; to a client that may still be sending a body, as the last on its connection. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  ownHeaders: readonly string[],
  value: unknown,
): void {
  const headers = [...ownHeaders, 'content-type', 'application/json'];
  const body = Buffer.from(JSON.stringify(value));
  if (isBodyUnread(request)) sendBodyUnread(request, response, status, headers, body, systemClock);
  else sendBody(response, status, headers, body);
}
