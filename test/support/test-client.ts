import type {
  ExchangeError,
  ExchangeRequest,
  Receiver,
  ResponseHeaders,
  Target,
} from '../../src/http-client/exchange.ts';
import { createHttpClient, type FetchedResponse, type HttpClient } from '../../src/http-client/http-client.ts';
import type { PoolOptions } from '../../src/http-client/node-pool.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';

// The shared client with a test's settings, and short ways to use it.

const options: PoolOptions = { maxIdlePerNode: 32, idleTimeoutMs: 60_000, tcpKeepAliveMs: 30_000 };
const bounds = { totalMs: 10_000, maxBytes: 64_000_000 };

export function clientOf(more: Partial<PoolOptions> = {}, clock: Clock = systemClock): HttpClient & Disposable {
  const client = createHttpClient({ ...options, ...more }, clock);
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

export function targetOf(origin: string, more: Partial<Target> = {}): Target {
  return { pool: 'node', origin, tls: null, connectMs: 2_000, ...more };
}

export function requestOf(more: Partial<ExchangeRequest> = {}): ExchangeRequest {
  return {
    method: 'POST',
    path: '/x',
    headers: ['content-type', 'text/plain'],
    body: Buffer.from('hi'),
    ...more,
  };
}

/** One whole request. */
export function post(
  client: HttpClient,
  target: Target,
  more: Partial<ExchangeRequest> = {},
): Promise<FetchedResponse> {
  return client.fetch(target, requestOf(more), bounds);
}

/** The failure that an answer ends with, or `none`. */
export async function failureOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'none',
    (error: ExchangeError) => error.failure,
  );
}

/** Keeps what it is told, in order. */
export class Told implements Receiver {
  readonly calls: string[] = [];
  status = 0;
  headers: ResponseHeaders = {};
  bytes = 0;
  error: ExchangeError | null = null;

  onHead(status: number, headers: ResponseHeaders): void {
    this.calls.push('head');
    this.status = status;
    this.headers = headers;
  }

  onData(chunk: Buffer): void {
    if (this.calls.at(-1) !== 'data') this.calls.push('data');
    this.bytes += chunk.length;
  }

  onEnd(): void {
    this.calls.push('end');
  }

  onError(error: ExchangeError): void {
    this.calls.push('error');
    this.error = error;
  }
}
