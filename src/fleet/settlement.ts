import type { Dialect } from './glossary.ts';
import type { ErrorCode } from './errors.ts';

// What happened to one request, told once, when it is over. History, metrics and log lines are all made from it, so
// they cannot disagree.

export const outcomes = ['served', 'rejected', 'refused', 'timed-out', 'failed', 'interrupted', 'gone'] as const;
/**
 * How a request ended. `served`: a complete answer, a node's own 4xx included. `rejected`: the client's mistake (400, 401, 403,
 * 404, 413) or its own limit (429). `refused`: overload, answered 503 by admission, deadline or drain. `timed-out`: it waited as long
 * as allowed (504 or 503 at the end of the wait). `failed`: every attempt failed before the answer began. `interrupted`:
 * the answer broke after it began. `gone`: the client left.
 */
export type Outcome = (typeof outcomes)[number];

export interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
  /** True where the tokens were counted from deltas because the engine did not tell. */
  readonly estimated: boolean;
}

/** How one try ended; the first column of the verdict table. */
export type AttemptEnd =
  | 'complete'
  | 'client-gone'
  | 'broken'
  | 'connect-failed'
  | 'reset'
  | 'garbage'
  | 'redirect'
  | 'first-byte-timeout'
  | 'stalled'
  | 'node-lost'
  | 'overloaded'
  | 'loading'
  | 'model-missing'
  /** The node does not have the endpoint. */
  | 'unsupported'
  | 'unauthorized'
  | 'server-error'
  | 'client-error';

export interface AttemptRecord {
  readonly nodeId: string;
  readonly nodeName: string;
  /** Ms from the request's arrival. */
  readonly startedAfterMs: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly end: AttemptEnd;
  /** What the node was asked for, canonical; null for the model that the client named. */
  readonly model: string | null;
}

export interface Settlement {
  /** UUIDv7, also the client's `x-request-id`. */
  readonly id: string;
  readonly clientRequestId: string | null;
  readonly traceparent: string | null;
  /** Epoch ms of arrival. */
  readonly arrivedAt: number;
  readonly dialect: Dialect;
  readonly path: string;
  /** Canonical public name; null where the request did not get that far. */
  readonly model: string | null;
  /** True if the fleet offered that model: only then is it fit to be a metric's label. */
  readonly modelOffered: boolean;
  readonly keyId: string | null;
  /** The peer's address where no key was used; kept in history only as an HMAC. */
  readonly address: string | null;
  readonly stream: boolean;
  readonly outcome: Outcome;
  readonly status: number;
  readonly code: ErrorCode | null;
  /** Null where it was never a waiter. */
  readonly waitMs: number | null;
  /** From arrival to the first byte of the answer's body sent to the client. */
  readonly firstByteMs: number | null;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly usage: Usage | null;
  readonly attempts: readonly AttemptRecord[];
}
