import type { IncomingMessage } from 'node:http';
import type { EventSource } from './event-stream.ts';

// One call of the admin API and its answer, as plain values: resources never touch the socket.

const MAX_BODY_BYTES = 1024 * 1024;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Call {
  readonly method: Method;
  /** The pattern's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The body as JSON; rejects with `ApiError`. */
  readonly body: () => Promise<unknown>;
}

export interface Reply {
  readonly status: number;
  /** An object is sent as JSON, text as it is, null as no body. */
  readonly body: object | string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of a body: an answer that goes on. */
  readonly events?: EventSource;
}

export interface Route {
  readonly method: Method;
  /** Like `/api/nodes/:id/models`. */
  readonly path: string;
  readonly answer: (call: Call) => Reply | Promise<Reply>;
}

/** Told to the administrator as `{"error":{"code","message"}}`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export function notFound(what: string): ApiError {
  return new ApiError(404, 'not_found', what);
}

/** The parameter of a matched route; the route's pattern names it, so it is there. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}

/** Reads at most 1 MB; rejects with `ApiError`. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readText(request);
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(
      400,
      'invalid_json',
      'The body is not JSON. Send a JSON object, with content-type application/json.',
    );
  }
}

/** By events: leaving a loop over the stream early would destroy the socket before the refusal is written. */
function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(new ApiError(413, 'body_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes.`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', () => reject(new ApiError(400, 'aborted', 'The body did not arrive whole.')));
  });
}
