import type { ErrorCode } from '../../fleet/errors.ts';
import type { AttemptEnd } from '../../fleet/settlement.ts';

// The verdict table: what an attempt's end means for the request and for the node. It is data; the only loop that acts on it
// is in request.ts. Faults of kind `if-served` count only if another node then serves the same request: until then it may be
// the request that breaks nodes, not the node that is broken.

export interface Verdict {
  /** `done`: the client has its answer or is gone. `relay`: the node's own 4xx is the answer. `another`: try another node. */
  readonly next: 'done' | 'relay' | 'another';
  readonly blame: 'served' | 'neutral' | 'fault' | 'if-served' | 'overloaded' | 'loading' | 'missing' | 'unauthorized';
  /** At most this many further attempts after such an end. */
  readonly furtherAttempts: number;
  /** False where the same node may be asked again: it is not failing, only not ready yet. */
  readonly marksTried: boolean;
  /** What the client is told if no other node can be tried. */
  readonly code: ErrorCode;
  /** What the control plane should look into. */
  readonly doubt: 'unauthorized' | 'loading' | 'model-missing' | 'unreachable' | null;
}

const anotherNode: Verdict = {
  next: 'another',
  blame: 'fault',
  furtherAttempts: Infinity,
  marksTried: true,
  code: 'upstream_failed',
  doubt: null,
};

const done: Verdict = { ...anotherNode, next: 'done', blame: 'neutral', furtherAttempts: 0 };

export const verdicts: Readonly<Record<AttemptEnd, Verdict>> = {
  complete: { ...done, blame: 'served' },
  'client-gone': done,
  broken: { ...done, blame: 'fault', code: 'stream_interrupted' },
  'connect-failed': { ...anotherNode, doubt: 'unreachable' },
  reset: { ...anotherNode, doubt: 'unreachable' },
  garbage: anotherNode,
  redirect: anotherNode,
  'first-byte-timeout': { ...anotherNode, code: 'upstream_timeout' },
  stalled: { ...anotherNode, code: 'upstream_timeout' },
  'node-lost': anotherNode,
  overloaded: { ...anotherNode, blame: 'overloaded', code: 'capacity_exceeded' },
  loading: { ...anotherNode, blame: 'loading', marksTried: false, code: 'no_ready_node', doubt: 'loading' },
  'model-missing': { ...anotherNode, blame: 'missing', code: 'model_not_found', doubt: 'model-missing' },
  unsupported: { ...anotherNode, blame: 'neutral', code: 'model_not_found' },
  unauthorized: { ...anotherNode, blame: 'unauthorized', doubt: 'unauthorized' },
  'server-error': { ...anotherNode, blame: 'if-served', furtherAttempts: 1 },
  'client-error': { ...done, next: 'relay' },
};

/** Sorts a node's answer other than 2xx. `message` is what its body says, for telling loading from overload. */
export function endOfStatus(status: number, message: string): AttemptEnd {
  if (status >= 300 && status < 400) return 'redirect';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404) return 'model-missing';
  if (status === 429) return 'overloaded';
  if (status === 503) return /\bloading\b/i.test(message) ? 'loading' : 'overloaded';
  if (status >= 400 && status < 500) return 'client-error';
  return status >= 500 ? 'server-error' : 'garbage';
}

/** True for an answer by which a node says that it does not have an endpoint, which not all engines have. */
export function lacksEndpoint(status: number, message: string): boolean {
  // A node that has it and does not know the model names the model.
  return status === 501 || status === 405 || (status === 404 && !/\bmodels?\b/i.test(message));
}

const COOL_LEAST_MS = 1_000;
const COOL_MOST_MS = 60_000;

/** Ms a node asks to be left alone, by its `Retry-After` (RFC 9110, 10.2.3: seconds or a date); null where it does not say. */
export function retryAfterOf(header: string | string[] | undefined, wall: number): number | null {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  if (text === '') return null;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - wall;
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

/** For how long an overloaded node is cooled: its own word, within 1 to 60 s. */
export function coolMs(retryAfterMs: number | null): number {
  return Math.min(COOL_MOST_MS, Math.max(COOL_LEAST_MS, retryAfterMs ?? COOL_LEAST_MS));
}
