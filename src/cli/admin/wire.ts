import type { ExchangeError, Target } from '../../http-client/exchange.ts';
import type { FetchedResponse } from '../../http-client/http-client.ts';
import { exitCodes, type ExitCode, Failure } from '../failure.ts';
import type { Connection } from './connection.ts';

// The admin listener on the wire: how it is reached, and what its refusals mean to whoever typed a command.

const CONNECT_WITHIN_MS = 5000;

export function targetOf({ url, ca }: Connection): Target {
  return { pool: 'admin', origin: url, tls: ca === null ? null : { ca }, connectMs: CONNECT_WITHIN_MS };
}

/** Name, value. */
export function authorization({ token }: Connection): readonly string[] {
  return token === null ? [] : ['authorization', `Bearer ${token}`];
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
export function valueOf({ body }: FetchedResponse): unknown {
  const text = body.toString('utf8');
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
