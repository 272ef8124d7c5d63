import { ExchangeError, type Target } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import { streamAnswer } from '../../http-client/stream-answer.ts';
import type { Clock } from '../../lib/clock.ts';

// The end of a node's log, from the URL an operator gave for it. Few engines offer their log over HTTP, but a file server beside
// them does. Only the end is asked for (a range); a server that knows no ranges sends all of it, of which the end is kept, up to
// a bound on what is read.

const TAIL_BYTES = 1024 * 1024;
const MOST_BYTES = 256 * 1024 * 1024;
const WITHIN_MS = 20_000;
const SILENCE_MS = 5000;

export interface LogSource {
  readonly target: Target;
  /** Path and query, from `/`. */
  readonly path: string;
  /** Name, value, name, value, … */
  readonly headers: readonly string[];
}

export type NodeLog =
  | {
      readonly kind: 'read';
      readonly lines: readonly string[];
      /** Older lines were left out. */ readonly isCut: boolean;
    }
  /** `detail` is for administrators. */
  | { readonly kind: 'failed'; readonly detail: string };

/** The newest `count` lines, oldest of them first. Never rejects for anything the server does. */
export async function readNodeLog(
  client: HttpClient,
  clock: Clock,
  { target, path, headers }: LogSource,
  count: number,
): Promise<NodeLog> {
  const asked = ['accept', 'text/plain, */*', 'accept-encoding', 'identity', 'range', `bytes=-${TAIL_BYTES}`];
  const request = { method: 'GET', path, headers: [...asked, ...headers], body: null } as const;
  const kept = new TailBytes(TAIL_BYTES);
  let isEndless = false;
  try {
    const bounds = { clock, silenceMs: SILENCE_MS, totalMs: WITHIN_MS };
    const { status, headers: answered } = await streamAnswer(client, target, request, bounds, (chunk, head) => {
      if (head.status !== 200 && head.status !== 206) return false;
      kept.push(chunk);
      isEndless = kept.total > MOST_BYTES;
      return !isEndless;
    });
    // An empty file has no last byte to give.
    if (status === 416) return { kind: 'read', lines: [], isCut: false };
    if (status !== 200 && status !== 206) return { kind: 'failed', detail: `it answered ${status}` };
    if (isEndless)
      return { kind: 'failed', detail: `it is longer than ${MOST_BYTES} bytes and its server knows no ranges` };
    const startsInside = status === 206 && !String(answered['content-range']).startsWith('bytes 0-');
    return linesOf(kept, startsInside, count);
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    return { kind: 'failed', detail: error.message };
  }
}

function linesOf(kept: TailBytes, startsInside: boolean, count: number): NodeLog {
  const lines = kept.text().split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  // What comes before the first line's end is the rest of a line.
  const isPart = startsInside || kept.total > TAIL_BYTES;
  const whole = isPart ? lines.slice(1) : lines;
  return { kind: 'read', lines: whole.slice(-count), isCut: isPart || whole.length > count };
}

/** The last bytes of what was pushed. */
class TailBytes {
  total = 0;
  readonly #most: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  push(chunk: Buffer): void {
    this.total += chunk.length;
    this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    for (let oldest = this.#chunks[0]; oldest && this.#bytes - oldest.length >= this.#most; oldest = this.#chunks[0]) {
      this.#chunks.shift();
      this.#bytes -= oldest.length;
    }
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-this.#most).toString('utf8');
  }
}
