import type { z } from 'zod';
import type { Endpoint } from '../../control-plane/api/contract/endpoint.ts';
import type { endpoints } from '../../control-plane/api/contract/endpoints.ts';
import { ExchangeError } from '../../http-client/exchange.ts';
import { createHttpClient, type FetchedResponse, type HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import { exitCodes, Failure } from '../failure.ts';
import type { Connection } from './connection.ts';
import { followEvents } from './events.ts';
import { authorization, refusal, targetOf, unreachable, valueOf } from './wire.ts';

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
  /** Gives each event of an endpoint that can be followed to `take`, until `signal` is aborted or it ends. Throws `Failure`. */
  follow<N extends CallName>(
    name: N,
    input: InputOf<N>,
    take: (event: unknown) => void,
    signal: AbortSignal,
  ): Promise<void>;
  close(): void;
}

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
    follow: (name, input, take, signal) => followEvents(httpClient, connection, pathOf(name, input), take, signal),
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
  { body, ...named }: PlainInput,
): Promise<FetchedResponse> {
  const [method = ''] = name.split(' ');
  const text = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const request = {
    method: methodOf(method),
    path: pathOf(name, named),
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

function pathOf(name: string, { params, query }: PlainInput): string {
  const [, pattern = ''] = name.split(' ');
  const path = pattern.replaceAll(/:(\w+)/g, (_, param: string) => encodeURIComponent(params?.[param] ?? ''));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value));
  return search.size > 0 ? `${path}?${search.toString()}` : path;
}

function methodOf(written: string): 'GET' | 'POST' | 'PUT' | 'DELETE' {
  return written === 'POST' || written === 'PUT' || written === 'DELETE' ? written : 'GET';
}
