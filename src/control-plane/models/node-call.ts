import { ExchangeError, type ExchangeRequest } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import { streamAnswer } from '../../http-client/stream-answer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { NodeAccess } from '../node-access.ts';

// How a task talks to a node: over the shared client, and until it is cancelled.

const MOST_BYTES = 4 * 1024 * 1024;

export interface CallAnswer {
  readonly status: number;
  /** Undefined where it is none. */
  readonly json: unknown;
}

export interface NodeCall {
  /** A whole small answer. Rejects with `ExchangeError`. */
  ask(method: ExchangeRequest['method'], path: string, body: object | null, withinMs: number): Promise<CallAnswer>;
  /** An answer of one JSON object a line, each given on as it comes. Rejects with `ExchangeError`. */
  lines(path: string, body: object, silenceMs: number, onLine: (json: unknown) => void): Promise<CallAnswer>;
  /** Resolves after that time, or when the task is cancelled. */
  pause(ms: number): Promise<void>;
  /** The task was cancelled. */
  readonly isOver: boolean;
}

export function nodeCall(client: HttpClient, clock: Clock, node: NodeAccess, signal: AbortSignal): NodeCall {
  const request = (method: ExchangeRequest['method'], path: string, body: object | null): ExchangeRequest => ({
    method,
    path: node.basePath + path,
    headers: [
      'accept',
      'application/json',
      'accept-encoding',
      'identity',
      ...(body ? ['content-type', 'application/json'] : []),
      ...node.headers,
    ],
    body: body && Buffer.from(JSON.stringify(body)),
  });
  return {
    ask: async (method, path, body, withinMs) => {
      const text = new BoundedText();
      const bounds = { clock, silenceMs: withinMs, totalMs: withinMs, signal };
      const { status } = await streamAnswer(client, node.target, request(method, path, body), bounds, (chunk) =>
        text.push(chunk),
      );
      return { status, json: parse(text.whole()) };
    },
    lines: async (path, body, silenceMs, onLine) => {
      const text = new BoundedText();
      const bounds = { clock, silenceMs, signal };
      const { status } = await streamAnswer(client, node.target, request('POST', path, body), bounds, (chunk, head) => {
        const fits = text.push(chunk);
        if (head.status === 200) for (const line of text.takeLines()) onLine(parse(line));
        return fits;
      });
      const rest = text.whole();
      if (status === 200 && rest.trim() !== '') onLine(parse(rest));
      return { status, json: parse(rest) };
    },
    pause: (ms) =>
      new Promise((resolve) => {
        const end = (): void => {
          cancel();
          signal.removeEventListener('abort', end);
          resolve();
        };
        const cancel = clock.after(ms, end);
        signal.addEventListener('abort', end);
        if (signal.aborted) end();
      }),
    get isOver() {
      return signal.aborted;
    },
  };
}

class BoundedText {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** False: that is more than anything in order would say. */
  push(chunk: Buffer): boolean {
    this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    return this.#bytes <= MOST_BYTES;
  }

  /** The lines that are whole, which are then gone. Split as bytes: a character may come in two chunks. */
  takeLines(): string[] {
    const bytes = Buffer.concat(this.#chunks);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#chunks = [bytes.subarray(end)];
    this.#bytes = bytes.length - end;
    return bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
  }

  /** Throws `ExchangeError` where there was too much. */
  whole(): string {
    if (this.#bytes <= MOST_BYTES) return Buffer.concat(this.#chunks).toString('utf8');
    throw new ExchangeError('garbage', new Error(`the answer is longer than ${MOST_BYTES} bytes`));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
