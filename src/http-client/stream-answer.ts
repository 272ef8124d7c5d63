import type { Clock } from '../lib/clock.ts';
import {
  type ExchangeFailure,
  ExchangeError,
  type ExchangeRequest,
  type ResponseHeaders,
  type Target,
} from './exchange.ts';
import type { HttpClient } from './http-client.ts';

// A long answer, taken as it comes: a model being pulled, a log being read. Like every exchange it has no bound on its length
// in time unless the caller sets one; what ends it early is silence, an abort, or the time that the caller gave.

export interface StreamBounds {
  readonly clock: Clock;
  /** The longest pause between two pieces of the answer, and until the first. */
  readonly silenceMs: number;
  /** For all of it; absent: no bound. */
  readonly totalMs?: number;
  /** Aborted: the socket is destroyed, so that the engine sees its client leave, and the promise rejects. */
  readonly signal?: AbortSignal;
}

export interface StreamHead {
  readonly status: number;
  readonly headers: ResponseHeaders;
}

/** Resolves when the answer is whole. `onData` false: that was enough, the rest is not read. Rejects with `ExchangeError`. */
export function streamAnswer(
  client: HttpClient,
  target: Target,
  request: ExchangeRequest,
  { clock, silenceMs, totalMs, signal }: StreamBounds,
  onData: (chunk: Buffer, head: StreamHead) => boolean,
): Promise<StreamHead> {
  return new Promise((resolve, reject) => {
    let head: StreamHead = { status: 0, headers: {} };
    let stopSilence: (() => void) | null = null;
    let stopTotal: (() => void) | null = null;
    const end = (): void => {
      stopSilence?.();
      stopTotal?.();
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (failure: ExchangeFailure, message: string): void => {
      end();
      running.abort();
      reject(new ExchangeError(failure, new Error(message)));
    };
    const onAbort = (): void => fail('reset', 'the exchange was called off');
    const heard = (): void => {
      stopSilence?.();
      stopSilence = clock.after(silenceMs, () => fail('reset', `nothing came for ${silenceMs} ms`));
    };
    const running = client.exchange(target, request, {
      onHead: (status, headers) => {
        head = { status, headers };
        heard();
      },
      onData: (chunk) => {
        heard();
        if (onData(chunk, head)) return;
        end();
        running.abort();
        resolve(head);
      },
      onEnd: () => {
        end();
        resolve(head);
      },
      onError: (error) => {
        end();
        reject(error);
      },
    });
    heard();
    if (totalMs !== undefined) {
      stopTotal = clock.after(totalMs, () => fail('reset', `no complete answer within ${totalMs} ms`));
    }
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
