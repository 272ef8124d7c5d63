import type { ServerResponse } from 'node:http';
import { type ClientError, clientError, type DialectForm } from './api/dialect.ts';
import { formOf } from './api/dialects.ts';
import type { Caller } from './auth/callers.ts';
import type { Detail } from './ending.ts';
import type { ErrorCode } from '../fleet/errors.ts';
import type { NodeSnapshot } from '../fleet/snapshot.ts';
import type { AttemptRecord, Outcome, Settlement, Usage } from '../fleet/settlement.ts';
import type { ClientRequest } from './http/client-request.ts';
import type { NodeRoute } from './http/routes.ts';
import type { Upload } from './http/upload.ts';
import type { Clock } from '../lib/clock.ts';
import type { KeepAlive } from './keep-alive.ts';
import { Leaving } from './leaving.ts';
import type { AnswerRelay } from './relay/answer-relay.ts';
import { Outlet } from './relay/outlet.ts';
import type { Resumption } from './resumption.ts';

// One request's record on its way through the corridor: who, what, how long at each rung. It becomes the settlement.

const MOST_ID_LENGTH = 200;
export const NO_BODY = Buffer.alloc(0);

export class Trip {
  readonly id: string;
  readonly route: NodeRoute;
  readonly form: DialectForm;
  readonly request: ClientRequest;
  readonly response: ServerResponse;
  /** Monotonic ms. */
  readonly arrivedAt: number;
  readonly traceparent: string | null;
  /** Told when the client is gone, or when the router must end this request. */
  readonly leaving = new Leaving();
  /** What the client is sent. */
  readonly outlet: Outlet;
  caller: Caller | null = null;
  /** Ends what the caller's entering began. */
  leave: () => void = () => undefined;
  /** Its body is on its way. */
  isReading = false;
  /** Canonical public name; null before the body is read. */
  model: string | null = null;
  modelOffered = false;
  stream = false;
  /** Whole once it was read, until an answer has begun: from then on it is sent to nobody any more. */
  body: Buffer = NO_BODY;
  requestBytes = 0;
  /** A form whose rest is still to come; `body` is what was read of it. */
  upload: Upload | null = null;
  /** Of an answer of the router's own; a relayed one is counted by the outlet. */
  ownBytes = 0;
  /** Ms spent waiting for a slot, over all attempts; null where it never was a waiter. */
  waitMs: number | null = null;
  /** The attempt under way, and the node it is on. */
  attempt: { readonly relay: Pick<AnswerRelay, 'nodeLost'>; readonly node: NodeSnapshot } | null = null;
  readonly attempts: AttemptRecord[] = [];
  /** How its stream would go on at another node; null where it could not. */
  resumption: Resumption | null = null;
  /** Keeps a stream's connection open until its answer begins. */
  keepAlive: KeepAlive | null = null;
  /** The node's part is over; what is left is the client's to take. */
  isAnswered = false;
  usage: Usage | null = null;
  /** Set where the router, not the client, ends the request: what the client is told if nothing was sent yet. */
  endedBy: ErrorCode | null = null;
  /** In place of that row's sentence. */
  endedWith: string | undefined = undefined;
  readonly #arrivedWall: number;

  constructor(id: string, route: NodeRoute, request: ClientRequest, response: ServerResponse, clock: Clock) {
    this.id = id;
    this.route = route;
    this.form = formOf(route.dialect, route.path);
    this.request = request;
    this.response = response;
    this.outlet = new Outlet(response, clock);
    this.arrivedAt = clock.now();
    this.#arrivedWall = clock.wall();
    this.traceparent = headerOf(request, 'traceparent');
  }

  /** Headers on every answer of ours: the id and, for who waited, how long. */
  ownHeaders(): string[] {
    const headers = ['x-request-id', this.id];
    if (this.waitMs !== null) headers.push('x-weir-wait-ms', String(Math.round(this.waitMs)));
    return headers;
  }

  /** Ends it for a reason of the router's, wherever it is. */
  endBy(code: ErrorCode, message?: string): void {
    this.endedBy = code;
    this.endedWith = message;
    this.leaving.leave();
  }

  waited(ms: number | null): void {
    if (ms !== null) this.waitMs = (this.waitMs ?? 0) + ms;
  }

  error(code: ErrorCode, { message, ...detail }: Detail = {}): ClientError {
    return clientError(code, { requestId: this.id, ...detail, ...(message === undefined ? {} : { message }) });
  }

  settlement(outcome: Outcome, status: number, code: ErrorCode | null, now: number): Settlement {
    const { firstByteAt, sentBytes } = this.outlet;
    return {
      id: this.id,
      clientRequestId: headerOf(this.request, 'x-request-id'),
      traceparent: this.traceparent,
      arrivedAt: this.#arrivedWall,
      dialect: this.route.dialect,
      path: this.route.path,
      model: this.model,
      modelOffered: this.modelOffered,
      keyId: this.caller?.key?.id ?? null,
      address: this.caller?.address ?? null,
      stream: this.stream,
      outcome,
      status,
      code,
      waitMs: this.waitMs,
      firstByteMs: firstByteAt === null ? null : firstByteAt - this.arrivedAt,
      durationMs: now - this.arrivedAt,
      requestBytes: this.requestBytes,
      responseBytes: this.ownBytes + sentBytes,
      usage: this.usage,
      attempts: this.attempts,
    };
  }
}

function headerOf(request: ClientRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value.slice(0, MOST_ID_LENGTH) : null;
}
