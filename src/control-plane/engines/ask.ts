import { ExchangeError } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { NodeAccess } from '../node-access.ts';
import type { ProbeFailure } from '../probe.ts';

// One probe's questions to one node: GET requests, each with the whole time-out, since a node that takes half of it for every
// answer is slow and not away. A probe therefore asks at once whatever does not need an earlier answer: at most four in a row to
// recognise an engine, two to probe a known one. The same path is asked once per probe.

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

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
  /** Of the answer that ended it; null where there was none. */
  readonly status: number | null;

  constructor(failure: ProbeFailure, status: number | null = null) {
    super(failure.detail);
    this.name = 'ProbeStop';
    this.failure = failure;
    this.status = status;
  }
}

/** The questions of one probe of `node`, each to be answered within `timeoutMs`. */
export function asker(httpClient: HttpClient, node: NodeAccess, timeoutMs: number): Ask {
  const asked = new Map<string, Promise<Answer>>();
  const put = async (path: string, withinMs: number): Promise<Answer> => {
    const totalMs = Math.min(withinMs, timeoutMs);
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
  return (path, withinMs = timeoutMs) => {
    const before = asked.get(path);
    if (before) return before;
    const answer = put(path, withinMs);
    asked.set(path, answer);
    return answer;
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
  const detail =
    status === 200
      ? `GET ${path} answered with ${form}, not ${expected}. Check the node's url.`
      : `GET ${path} answered ${status}, not ${expected}. Check the node's url and that its engine is up.`;
  throw new ProbeStop({ kind: 'nonsense', detail }, status);
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
