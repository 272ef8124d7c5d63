import { ExchangeError } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import { duration } from '../output/figures.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

// Whether something between clients and router collects a stream and passes it on in one piece: the commonest reason why "streaming does not
// work". No header says so, so a short answer is asked for, streamed, and the arrival of its bytes is looked at: if the first come when
// it is nearly over, although it took its time, they were held back. It costs one answer of a model.

const LONGEST_MS = 60_000;
/** An answer that is over sooner cannot be told from one that was held back. */
const SHORTEST_TOLD_MS = 300;
const HELD_BACK_SHARE = 0.9;
const CHECK = 'streaming';

export interface Through {
  /** As clients use it, without /v1. */
  readonly url: string;
  readonly model: string;
  readonly key: string | null;
}

export async function buffering(httpClient: HttpClient, clock: Clock, { url, model, key }: Through): Promise<Finding> {
  const startedAt = clock.now();
  let status = 0;
  let firstAt: number | null = null;
  let pieces = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const body = { model, stream: true, max_tokens: 48, messages: [{ role: 'user', content: 'Count to thirty.' }] };
      const headers = ['content-type', 'application/json', ...(key === null ? [] : ['authorization', `Bearer ${key}`])];
      const { origin, pathname } = new URL(url);
      const exchange = httpClient.exchange(
        { pool: `through ${origin}`, origin, tls: null, connectMs: 5000 },
        {
          method: 'POST',
          path: `${pathname.replace(/\/$/, '')}/v1/chat/completions`,
          headers,
          body: Buffer.from(JSON.stringify(body)),
        },
        {
          onHead: (received) => {
            status = received;
          },
          onData: () => {
            firstAt ??= clock.now();
            pieces += 1;
          },
          onEnd: () => {
            cancel();
            resolve();
          },
          onError: (error) => {
            cancel();
            reject(error);
          },
        },
      );
      const cancel = clock.after(LONGEST_MS, () => {
        exchange.abort();
        reject(new ExchangeError('reset', new Error(`no complete answer within ${LONGEST_MS / 1000} s`)));
      });
    });
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    return problem(
      CHECK,
      `${url} gives no answer: ${error.message}`,
      'Check the address, and that it leads to the router.',
    );
  }
  if (status !== 200 || firstAt === null) {
    return problem(
      CHECK,
      `${url} answered ${status} to a chat with ${model}`,
      'Name a model that is served (--model).',
    );
  }
  return judged(url, pieces, firstAt - startedAt, clock.now() - startedAt);
}

/** From when the first bytes came and when the last. */
export function judged(url: string, pieces: number, firstMs: number, totalMs: number): Finding {
  if (totalMs < SHORTEST_TOLD_MS) {
    return warning(
      CHECK,
      `the answer took only ${duration(totalMs)}`,
      'Ask a slower model (--model) to see whether it streams.',
    );
  }
  if (firstMs < totalMs * HELD_BACK_SHARE && pieces > 1) {
    return ok(CHECK, `through ${url} the first bytes came after ${duration(firstMs)} of ${duration(totalMs)}`);
  }
  return problem(
    CHECK,
    `through ${url} nothing came for ${duration(firstMs)} of ${duration(totalMs)}: something collects the stream`,
    'Switch buffering off there: nginx "proxy_buffering off;", Apache "flushpackets=on", Cloudflare and others a rule for /v1; no compression.',
  );
}
