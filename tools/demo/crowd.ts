import { Agent, request } from 'node:http';
import type { Clock } from '../../src/lib/clock.ts';
import { Tally, type Ending } from './tally.ts';

// The clients of the demonstration. Each asks, reads its answer as a stream, thinks, and asks again. They behave as clients do: one
// that is refused comes back after the Retry-After it was told (with patience for a few seconds of it, or a demonstration of
// a minute would soon be an empty room), some ask not to wait long, some hang up in the middle.

const THINK_MS = { min: 50, max: 600 };
const ANSWER_TOKENS = { min: 16, max: 64 };
const MOST_BACKOFF_MS = 4000;
/** One in so many requests asks for a short wait (`x-weir-max-wait-ms`), and one in so many hangs up. */
const HURRIED_EVERY = 8;
const HURRIED_MS = 400;
const LEAVING_EVERY = 25;
const LEAVING_AFTER_MS = { min: 50, max: 1200 };

export interface CrowdOptions {
  /** The router's, without `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly clock: Clock;
  readonly random: () => number;
}

export class Crowd {
  readonly tally: Tally;
  readonly #options: CrowdOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #clients = new Map<number, Promise<void>>();
  readonly #leaves = new Set<() => void>();
  #size = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.tally = new Tally(options.clock);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** How many clients there should be: new ones begin at once, surplus ones leave when their request is over. */
  resize(size: number): void {
    this.#size = size;
    for (let index = 0; index < size; index += 1) {
      if (this.#clients.has(index)) continue;
      this.#clients.set(
        index,
        this.#live(index).finally(() => this.#clients.delete(index)),
      );
    }
  }

  /** Sends everybody home; resolves when the last request is over. */
  async disperse(): Promise<void> {
    this.resize(0);
    for (const leave of this.#leaves) leave();
    await Promise.all(this.#clients.values());
    this.#agent.destroy();
  }

  /** Drops every connection at once. */
  abandon(): void {
    this.resize(0);
    this.#agent.destroy();
    for (const leave of this.#leaves) leave();
  }

  async #live(index: number): Promise<void> {
    while (index < this.#size) {
      const backoffMs = await this.#ask();
      if (index < this.#size) await this.#pause(backoffMs + this.#between(THINK_MS));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => {
        stop();
        this.#leaves.delete(leave);
        resolve();
      };
      const stop = this.#options.clock.after(ms, leave);
      this.#leaves.add(leave);
    });
  }

  /** One request; resolves with the ms its answer asked to stay away for. */
  #ask(): Promise<number> {
    const { url, model, clock, random } = this.#options;
    const turn = this.tally.send();
    const content = `Tell me about number ${turn}.`;
    const maxTokens = Math.round(this.#between(ANSWER_TOKENS));
    const body = JSON.stringify({ model, messages: [{ role: 'user', content }], max_tokens: maxTokens, stream: true });
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    if (random() * HURRIED_EVERY < 1) headers['x-weir-max-wait-ms'] = HURRIED_MS;
    return new Promise((resolve) => {
      let isOver = false;
      let stopLeaving: () => void = doNothing;
      const end = (ending: Ending, waitMs: number | null, backoffMs: number): void => {
        if (isOver) return;
        isOver = true;
        stopLeaving();
        this.tally.end(ending, waitMs);
        resolve(backoffMs);
      };
      const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: this.#agent }, (answer) => {
        const status = answer.statusCode ?? 0;
        const waited = answer.headers['x-weir-wait-ms'];
        const waitMs = status === 200 ? Number(waited ?? 0) : null;
        let tail = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          tail = (tail + chunk).slice(-200);
        });
        answer.on('end', () => {
          end(
            endingOf(status, tail),
            waitMs,
            Math.min(MOST_BACKOFF_MS, Number(answer.headers['retry-after'] ?? 0) * 1000),
          );
        });
        answer.on('error', () => end('failed', null, 0));
      });
      sent.on('error', () => end('failed', null, 0));
      sent.end(body);
      if (random() * LEAVING_EVERY < 1) {
        stopLeaving = clock.after(this.#between(LEAVING_AFTER_MS), () => {
          end('gone', null, 0);
          sent.destroy();
        });
      }
    });
  }

  #between({ min, max }: { readonly min: number; readonly max: number }): number {
    return min + (max - min) * this.#options.random();
  }
}

/** A stream is served only if its end marker came. */
export function endingOf(status: number, tail: string): Ending {
  if (status === 200) return tail.trimEnd().endsWith('data: [DONE]') ? 'served' : 'failed';
  if (status === 504) return 'timedOut';
  return status === 503 ? 'refused' : 'failed';
}

function doNothing(): void {
  // Nothing to stop yet.
}
