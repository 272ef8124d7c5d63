import { ExchangeError } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { Connection } from './connection.ts';
import { authorization, refusal, targetOf, unreachable } from './wire.ts';

// An answer that goes on, as server-sent events: what the admin API gives with follow=1. Each event is one line of JSON.

/** What came before the end of a refusal is kept up to here. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Calls `take` with the JSON of each event until the stream ends or `signal` is aborted. Throws `Failure`. */
export async function followEvents(
  httpClient: HttpClient,
  connection: Connection,
  path: string,
  take: (value: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let status = 0;
  let pending = '';
  const decoder = new TextDecoder();
  const headers = [...authorization(connection), 'accept', 'text/event-stream'];
  try {
    await new Promise<void>((resolve, reject) => {
      const exchange = httpClient.exchange(
        targetOf(connection),
        { method: 'GET', path, headers, body: null },
        {
          onHead: (received) => {
            status = received;
          },
          onData: (chunk) => {
            pending += decoder.decode(chunk, { stream: true });
            if (status !== 200) {
              pending = pending.slice(0, MAX_REFUSAL_BYTES);
              return;
            }
            const lines = pending.split('\n');
            pending = lines.pop() ?? '';
            for (const line of lines) {
              if (line.startsWith('data: ')) take(JSON.parse(line.slice('data: '.length)));
            }
          },
          onEnd: resolve,
          onError: reject,
        },
      );
      const stop = (): void => {
        exchange.abort();
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    throw unreachable(connection, error);
  }
  if (status >= 400) throw refusal({ status, headers: {}, body: Buffer.from(pending) }, connection);
}
