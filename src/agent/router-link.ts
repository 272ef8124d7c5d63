import { agentPaths, IDENTITY_HEADER } from '../fleet/agent-words.ts';
import { ExchangeError, type Target } from '../http-client/exchange.ts';
import type { HttpClient } from '../http-client/http-client.ts';

// The agent's calls to the router. That the router is away, or says so itself, is no error: it comes back.

const WITHIN_MS = 20_000;
const CONNECT_WITHIN_MS = 10_000;
const MOST_BYTES = 64 * 1024;

export type Told =
  | { readonly kind: 'done'; readonly answer: Readonly<Record<string, unknown>> }
  /** It said no, and would say so again. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'away'; readonly why: string };

export interface RouterLinkOptions {
  readonly httpClient: HttpClient;
  /** Of the agents' listener. */
  readonly router: URL;
  readonly token: string;
  readonly identity: string;
  /** PEM; null: the system's. */
  readonly ca: string | null;
}

export class RouterLink {
  readonly #options: RouterLinkOptions;
  readonly #target: Target;

  constructor(options: RouterLinkOptions) {
    this.#options = options;
    const tls = options.ca === null ? null : { ca: options.ca };
    this.#target = { pool: 'router', origin: options.router.origin, tls, connectMs: CONNECT_WITHIN_MS };
  }

  /** What proves who calls, for the tunnel too. */
  get headers(): Readonly<Record<string, string>> {
    const { token, identity } = this.#options;
    return { authorization: `Bearer ${token}`, [IDENTITY_HEADER]: identity };
  }

  async call(action: 'register' | 'heartbeat', body: object): Promise<Told> {
    const headers = ['content-type', 'application/json', ...Object.entries(this.headers).flat()];
    const path = agentPaths[action];
    const request = { method: 'POST', path, headers, body: Buffer.from(JSON.stringify(body)) } as const;
    const bounds = { totalMs: WITHIN_MS, maxBytes: MOST_BYTES };
    try {
      const { status, body: answered } = await this.#options.httpClient.fetch(this.#target, request, bounds);
      return readAnswer(status, answered.toString('utf8'));
    } catch (error) {
      if (error instanceof ExchangeError) return { kind: 'away', why: error.message };
      throw error;
    }
  }
}

/** What an answer of the agents' listener means. */
function readAnswer(status: number, text: string): Told {
  const answer = objectOf(text);
  if (!answer) return { kind: 'away', why: `what answered there is no listener of agents (status ${status})` };
  if (status === 200) return { kind: 'done', answer };
  const error = Object(answer['error']);
  const message = String(error.message ?? '');
  if (status >= 500 || status === 429) return { kind: 'away', why: message };
  return { kind: 'refused', status, code: String(error.code ?? ''), message };
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : null;
  } catch {
    return null;
  }
}
