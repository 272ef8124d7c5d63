import { ExchangeError, type Target } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ProbeFailure } from '../probe.ts';

// One probe's questions to one node: GET requests that share a deadline, so that a node which answers each of five
// questions slowly still costs one probe time-out and not five.

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface AskedNode {
  readonly target: Target;
  /** Base path without a trailing slash; empty for none. */
  readonly basePath: string;
  /** Name, value, name, value, … */
  readonly headers: readonly string[];
}

export interface Answer {
  readonly path: string;
  readonly status: number;
  readonly text: string;
  /** The body as JSON, undefined where it is none. */
  readonly json: unknown;
}

/** Asks for a path (from `/`). Rejects with `ProbeStop` if nothing answers in time; `withinMs` shortens the bound. */
export type Ask = (path: string, withinMs?: number) => Promise<Answer>;

/** Ends a probe early with its verdict. */
export class ProbeStop extends Error {
  readonly failure: ProbeFailure;

  constructor(failure: ProbeFailure) {
    super(failure.detail);
    this.name = 'ProbeStop';
    this.failure = failure;
  }
}

/** Questions to `node` that must all be answered within `timeoutMs` from now. */
export function asker(httpClient: HttpClient, clock: Clock, node: AskedNode, timeoutMs: number): Ask {
  const deadline = clock.now() + timeoutMs;
  return async (path, withinMs = timeoutMs) => {
    const totalMs = Math.max(1, Math.ceil(Math.min(withinMs, deadline - clock.now())));
    const request = {
      method: 'GET',
      path: node.basePath + path,
      headers: ['accept', 'application/json, text/plain', 'accept-encoding', 'identity', ...node.headers],
      body: null,
    } as const;
    try {
      const { status, body } = await httpClient.fetch(node.target, request, { totalMs, maxBytes: MAX_ANSWER_BYTES });
      const text = body.toString('utf8');
      return { path, status, text, json: parse(text) };
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
      const kind = error.failure === 'garbage' ? 'nonsense' : 'unreachable';
      throw new ProbeStop({ kind, detail: `GET ${node.target.origin}${node.basePath}${path}: ${reason(error)}` });
    }
  };
}

/** The answer, or null where the question could not be answered: for what a probe would like to know but does not need. */
export async function askQuietly(ask: Ask, path: string, withinMs?: number): Promise<Answer | null> {
  try {
    return await ask(path, withinMs);
  } catch (error) {
    if (error instanceof ProbeStop) return null;
    throw error;
  }
}

/** Throws the verdict for an answer that no engine in order gives. */
export function refuse(answer: Answer, expected: string): never {
  const { path, status, text } = answer;
  if (status === 401 || status === 403) {
    throw new ProbeStop({
      kind: 'unauthorized',
      detail: `GET ${path} answered ${status}: the node refuses the key it was given. Set the node's apiKey.`,
    });
  }
  const start = text.trimStart().slice(0, 15).toLowerCase();
  const form = start.startsWith('<!doctype') || start.startsWith('<html') ? 'a web page' : 'something else';
  throw new ProbeStop({
    kind: 'nonsense',
    detail:
      status === 200
        ? `GET ${path} answered with ${form}, not ${expected}. Check the node's url.`
        : `GET ${path} answered ${status}, not ${expected}. Check the node's url and that its engine is up.`,
  });
}

function reason(error: ExchangeError): string {
  const { cause } = error;
  if (cause instanceof AggregateError) {
    const [first] = cause.errors;
    if (first instanceof Error) return first.message;
  }
  return error.message === '' ? error.failure : error.message;
}

function parse(text: string): unknown {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[' && first !== '"') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
