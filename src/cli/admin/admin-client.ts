import type { z } from 'zod';
import type { Endpoint } from '../../control-plane/api/contract/endpoint.ts';
import type { endpoints } from '../../control-plane/api/contract/endpoints.ts';
import { ExchangeError, type Target } from '../../http-client/exchange.ts';
import { createHttpClient, type FetchedResponse, type HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import { exitCodes, type ExitCode, Failure } from '../failure.ts';
import type { Connection } from './connection.ts';

// The admin API for the command line. Names, parameters, bodies and answers are those of the descriptions in control-plane/api/contract, of
// which /api/openapi.json is made too: what does not fit them does not compile, and an answer that does not fit them (of a router of
// another version) is a clear error, not an `undefined` in a table.

type Described = typeof endpoints;
export type CallName = keyof Described;

type Params<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | Params<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;
type ParamsOf<N extends string> = [Params<N>] extends [never]
  ? { readonly params?: never }
  : { readonly params: Readonly<Record<Params<N>, string>> };
type BodyOf<E> = E extends { readonly body: infer B extends z.ZodType } ? { readonly body: z.input<B> } : unknown;
type QueryOf<E> = E extends { readonly query: infer Q extends z.ZodType } ? { readonly query?: z.input<Q> } : unknown;
export type InputOf<N extends CallName> = ParamsOf<N> & BodyOf<Described[N]> & QueryOf<Described[N]>;
export type AnswerOf<N extends CallName> = Described[N]['answer'] extends z.ZodType
  ? z.output<Described[N]['answer']>
  : null;

interface PlainInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

export interface AdminClient {
  readonly connection: Connection;
  /** Calls an endpoint; throws `Failure` with what to do and the exit code. */
  call<N extends CallName>(name: N, input: InputOf<N>): Promise<AnswerOf<N>>;
  close(): void;
}

const CONNECT_WITHIN_MS = 5000;
/** A registration takes up to 5 s, a search on a model hub longer. */
const ANSWER_WITHIN_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function createAdminClient(connection: Connection, clock: Clock): AdminClient {
  const httpClient = createHttpClient({ maxIdlePerNode: 4, idleTimeoutMs: 10_000, tcpKeepAliveMs: 0 }, clock);
  return {
    connection,
    call: async (name, input) => {
      const { endpoints: described } = await import('../../control-plane/api/contract/endpoints.ts');
      const isAnswer = (value: unknown): value is AnswerOf<typeof name> => fits(described[name], value);
      const answer = await ask(httpClient, connection, name, input);
      if (answer.status >= 400) throw refusal(answer, connection);
      const value = valueOf(answer);
      if (isAnswer(value)) return value;
      throw new Failure(
        exitCodes.failed,
        `What ${connection.url} answered to ${name} is not what this weir knows. Is the router of the same version, and is this its admin address?`,
      );
    },
    close: () => httpClient.close(),
  };
}

function fits({ answer, status }: Endpoint, value: unknown): boolean {
  return answer === null ? status.includes(204) && value === null : answer.safeParse(value).success;
}

async function ask(
  httpClient: HttpClient,
  connection: Connection,
  name: string,
  { params, query, body }: PlainInput,
): Promise<FetchedResponse> {
  const [method = '', pattern = ''] = name.split(' ');
  const path = pattern.replaceAll(/:(\w+)/g, (_, param: string) => encodeURIComponent(params?.[param] ?? ''));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value));
  const text = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const request = {
    method: methodOf(method),
    path: search.size > 0 ? `${path}?${search.toString()}` : path,
    headers: [
      ...authorization(connection),
      ...(text === null ? [] : ['content-type', 'application/json']),
      'accept',
      'application/json',
    ],
    body: text,
  };
  try {
    return await httpClient.fetch(targetOf(connection), request, {
      totalMs: ANSWER_WITHIN_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    throw unreachable(connection, error);
  }
}

export function targetOf({ url, ca }: Connection): Target {
  return { pool: 'admin', origin: url, tls: ca === null ? null : { ca }, connectMs: CONNECT_WITHIN_MS };
}

/** Name, value. */
export function authorization({ token }: Connection): readonly string[] {
  return token === null ? [] : ['authorization', `Bearer ${token}`];
}

function methodOf(written: string): 'GET' | 'POST' | 'PUT' | 'DELETE' {
  return written === 'POST' || written === 'PUT' || written === 'DELETE' ? written : 'GET';
}

export function unreachable({ url, ca }: Connection, { message, failure }: ExchangeError): Failure {
  const isCertificate = /certificate|altname|self.signed/i.test(message);
  const advice = isCertificate
    ? `Name the authority that signed its certificate with --ca FILE${ca === null ? '' : '; the one given did not'}.`
    : failure === 'connect-failed'
      ? 'Is it running? Start it with "weir serve", or name another with --admin URL.'
      : `Is this the admin address? Where it has TLS the address begins with https://.`;
  return new Failure(exitCodes.unreachable, `No router answers at ${url}: ${message}. ${advice}`);
}

const codesByStatus: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.usage,
  401: exitCodes.unauthorized,
  403: exitCodes.unauthorized,
  404: exitCodes.notFound,
};

/** What a refusal means to whoever typed the command. */
export function refusal(answer: FetchedResponse, { url, token, tokenFrom }: Connection): Failure {
  const { status } = answer;
  const code = codesByStatus[status] ?? exitCodes.failed;
  if (status === 401) {
    const why =
      token === null
        ? `No admin token was found (${tokenFrom})`
        : `The router at ${url} does not know this admin token`;
    return new Failure(code, `${why}. Set WEIR_ADMIN_TOKEN, or name the router's data directory with --data-dir.`);
  }
  const message = errorMessage(valueOf(answer));
  if (message !== null) return new Failure(code, message);
  return new Failure(
    exitCodes.unreachable,
    `${url} answered ${status}, but not as the admin API of a router. Its address is another than that for clients, usually port 9348.`,
  );
}

/** In the admin API's own form only: engines and the clients' listener answer in others. */
function errorMessage(value: unknown): string | null {
  const error: unknown = typeof value === 'object' && value !== null && 'error' in value ? value.error : null;
  if (typeof error !== 'object' || error === null || !('message' in error) || 'type' in error) return null;
  return typeof error.message === 'string' ? error.message : null;
}

/** The body as JSON, null where there is none; text where it is none. */
function valueOf({ body }: FetchedResponse): unknown {
  const text = body.toString('utf8');
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
