import { ExchangeError } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorMessageOf } from '../../lib/error-message.ts';
import { type CatalogueModel, readHubList } from './hub-list.ts';

// A search on a model hub, for people who look for a model to pull. Bounded in every way, since it goes out to the internet at the
// wish of whoever types: in time, in bytes, in how many searches run at once, and by keeping answers for a while. Two who search for
// the same at the same time share one question. While the hub is away an older answer is given, marked as such: for a person who
// looks for a name that is more use than an error.

const WITHIN_MS = 10_000;
const CONNECT_MS = 5000;
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_AT_ONCE = 4;
const KEPT = 200;
const POOL = 'catalogue';

export interface Search {
  readonly text: string;
  /** `gguf`: only what llama.cpp and Ollama can run. */
  readonly format: 'any' | 'gguf';
  readonly limit: number;
}

export type SearchEnd =
  | {
      readonly kind: 'found';
      readonly models: readonly CatalogueModel[];
      /** Epoch ms of the hub's answer. */
      readonly fetchedAt: number;
      /** The hub could not be asked now. */
      readonly isStale: boolean;
    }
  /** `retryAfter` as the hub sent it. */
  | {
      readonly kind: 'unavailable';
      readonly code: 'unreachable' | 'busy' | 'refused';
      readonly detail: string;
      readonly retryAfter: string | null;
    };

interface Kept {
  readonly models: readonly CatalogueModel[];
  readonly fetchedAt: number;
  /** Monotonic ms. */
  readonly readAt: number;
}

export interface CatalogueOptions {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly url: string;
  readonly cacheTtlMs: number;
}

export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Promise<SearchEnd>>();

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** Never rejects for anything that the hub does. */
  async search(search: Search): Promise<SearchEnd> {
    const key = JSON.stringify(search);
    const { clock, cacheTtlMs } = this.#options;
    const kept = this.#kept.get(key);
    if (kept && clock.now() - kept.readAt < cacheTtlMs) return { kind: 'found', isStale: false, ...shown(kept) };
    const running = this.#running.get(key);
    if (running) return running;
    if (this.#running.size >= MOST_AT_ONCE) {
      const detail = `${MOST_AT_ONCE} searches are under way.`;
      return { kind: 'unavailable', code: 'busy', detail, retryAfter: '1' };
    }
    const asked = this.#ask(key, search).finally(() => this.#running.delete(key));
    this.#running.set(key, asked);
    return asked;
  }

  async #ask(key: string, search: Search): Promise<SearchEnd> {
    const { client, url } = this.#options;
    const hub = new URL(url);
    const query = new URLSearchParams({
      search: search.text,
      limit: `${search.limit}`,
      sort: 'downloads',
      direction: '-1',
    });
    if (search.format === 'gguf') query.set('filter', 'gguf');
    const request = {
      method: 'GET',
      path: `${hub.pathname.replace(/\/+$/, '')}/api/models?${query.toString()}`,
      headers: ['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'weir'],
      body: null,
    } as const;
    const target = { pool: POOL, origin: hub.origin, tls: null, connectMs: CONNECT_MS };
    try {
      const bounds = { totalMs: WITHIN_MS, maxBytes: MOST_BYTES };
      const { status, headers, body } = await client.fetch(target, request, bounds);
      const json = parse(body.toString('utf8'));
      const models = status === 200 ? readHubList(json) : null;
      if (models) return { kind: 'found', isStale: false, ...shown(this.#keep(key, models)) };
      const said = errorMessageOf(json);
      const detail =
        status === 200
          ? 'It did not answer as a model hub with the API of Hugging Face does.'
          : `It answered ${status}${said === null ? '' : `: ${said.slice(0, 300)}`}.`;
      const retryAfter = headers['retry-after'];
      const isBusy = status === 429 || status >= 500;
      return this.#without(
        key,
        isBusy ? 'busy' : 'refused',
        detail,
        typeof retryAfter === 'string' ? retryAfter : null,
      );
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
      return this.#without(key, 'unreachable', `It could not be asked: ${error.message}.`, null);
    }
  }

  #keep(key: string, models: readonly CatalogueModel[]): Kept {
    const kept = { models, fetchedAt: this.#options.clock.wall(), readAt: this.#options.clock.now() };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }

  #without(
    key: string,
    code: 'unreachable' | 'busy' | 'refused',
    detail: string,
    retryAfter: string | null,
  ): SearchEnd {
    const kept = this.#kept.get(key);
    if (kept) return { kind: 'found', isStale: true, ...shown(kept) };
    return { kind: 'unavailable', code, detail, retryAfter };
  }
}

function shown({ models, fetchedAt }: Kept) {
  return { models, fetchedAt };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
