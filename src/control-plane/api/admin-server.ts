import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Address, ListenerTls } from '../../fleet/settings.ts';
import { authority, portOf, startListening } from '../../lib/listening.ts';
import { createServer, nodeHttps } from '../../lib/node-http.ts';
import { readTlsFiles, UnusableTls } from '../../lib/tls-files.ts';
import type { Clock } from '../../lib/clock.ts';
import { ApiError, type Method, readJson, type Reply, type Route } from './call.ts';
import { sendEvents } from './event-stream.ts';
import { matchRoute } from './router.ts';

// The administrators' listener. Order: a foreign web page is refused, then the token is asked for on every path (an unknown
// path is nobody's business either), then the route is looked up. A mistake of ours in a read is answered 500 and
// logged; in a write it also ends this worker, because it may have been left half done; the next one starts from the store.

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 15_000,
  maxHeaderSize: 16_384,
};
const MAX_CONNECTIONS = 256;

export interface AdminServerOptions {
  readonly listen: Address;
  readonly tls: ListenerTls | null;
  readonly clock: Clock;
  readonly routes: readonly Route[];
  readonly isAuthorized: (header: string | undefined) => boolean;
  /** True for a token of ours that opens another door. */
  readonly isOtherToken: (header: string | undefined) => boolean;
  readonly onMistake: (error: unknown, isWrite: boolean) => void;
}

export interface AdminServer {
  readonly url: string;
  readonly port: number;
  /** Reads the certificate anew; the one there is stays where that cannot be used. */
  renewTls(): void;
  close(): Promise<void>;
}

/** Listens; rejects with the system's error (`code` EADDRINUSE, …) or `UnusableTls`. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { listen, tls, clock } = options;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(options, request).then((reply) => send(request, response, reply, clock));
  };
  const secure = tls ? nodeHttps().createServer({ ...LIMITS, ...readTlsFiles('admin.tls', tls) }, onRequest) : null;
  const server: Server = secure ?? createServer(LIMITS, onRequest);
  server.maxConnections = MAX_CONNECTIONS;
  await startListening(server, listen);
  const port = portOf(server);
  return {
    url: `${tls ? 'https' : 'http'}://${authority(listen.host, port)}`,
    port,
    renewTls: () => {
      try {
        if (secure && tls) secure.setSecureContext(readTlsFiles('admin.tls', tls));
      } catch (error) {
        if (!(error instanceof UnusableTls)) throw error;
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: AdminServerOptions, request: IncomingMessage): Promise<Reply> {
  const { method = 'GET', headers } = request;
  try {
    refuseForeignOrigin(headers.origin, headers.host);
    if (!options.isAuthorized(headers.authorization)) {
      if (options.isOtherToken(headers.authorization)) {
        throw new ApiError(
          403,
          'wrong_scope',
          'A registration token opens only the listener of agents, not the admin API.',
        );
      }
      throw new ApiError(401, 'unauthorized', 'Send the admin token as "Authorization: Bearer TOKEN".', {
        'www-authenticate': 'Bearer',
      });
    }
    const url = URL.parse(request.url ?? '/', 'http://admin');
    if (!url) throw new ApiError(400, 'invalid_request', 'The path is not usable.');
    const { route, params } = matchRoute(options.routes, method, url.pathname);
    return await route.answer({ method: route.method, params, query: url.searchParams, body: () => readJson(request) });
  } catch (error) {
    if (error instanceof ApiError) return errorReply(error);
    options.onMistake(error, isWrite(method));
    return errorReply(new ApiError(500, 'internal_error', 'The router made a mistake. Its log has the details.'));
  }
}

function isWrite(method: string): boolean {
  const reads: readonly (Method | 'HEAD')[] = ['GET', 'HEAD'];
  return !reads.some((read) => read === method);
}

/** Browsers name the page's origin; programs that are no web pages send none. */
function refuseForeignOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined || URL.parse(origin)?.host === host) return;
  throw new ApiError(403, 'foreign_origin', 'A web page of another origin may not use the admin API.');
}

function errorReply({ status, code, message, headers }: ApiError): Reply {
  return { status, body: { error: { code, message } }, headers };
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply, clock: Clock): void {
  if (response.destroyed) return;
  const { status, body, headers, events } = reply;
  if (events) return sendEvents(response, headers ?? {}, clock, events);
  const isJson = typeof body === 'object' && body !== null;
  const text = isJson ? `${JSON.stringify(body)}\n` : (body ?? '');
  response.writeHead(status, {
    ...(isJson ? { 'content-type': 'application/json' } : {}),
    ...(body === null ? {} : { 'content-length': Buffer.byteLength(text) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    // What was not read of the body must not be taken for the next request.
    ...(request.complete || status < 400 ? {} : { connection: 'close' }),
  });
  response.end(text);
}
