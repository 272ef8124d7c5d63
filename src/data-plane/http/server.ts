import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../fleet/errors.ts';
import type { ListenerTls, Settings } from '../../fleet/settings.ts';
import { systemClock } from '../../lib/clock.ts';
import { authority, portOf, startListening } from '../../lib/listening.ts';
import { createServer, nodeHttps } from '../../lib/node-http.ts';
import { readTlsFiles, type TlsFiles, UnusableTls } from '../../lib/tls-files.ts';
import { uuid7Source } from '../../lib/uuid7.ts';
import { ClientRequest } from './client-request.ts';
import { crossOrigin } from './cross-origin.ts';
import { headFault, refusalBody } from './head-fault.ts';
import { isMalformed } from './read-body.ts';
import { sendBodyUnread } from './reply.ts';

// The clients' listener on node:http: a parser that the world has attacked for years stands between us and the outside.

/** Longer than the pools of common clients keep idle sockets, so that it is they who close first. */
const KEEP_ALIVE_MS = 75_000;

export interface ClientServer {
  /** Where it listens; the port is the real one where 0 was asked for. */
  readonly url: string;
  readonly port: number;
  /** Answers web pages and bounds slow headers by these from now on; certificates are read anew, and kept where they cannot be. */
  replaceSettings(settings: Pick<Settings, 'cors' | 'timeouts' | 'tls'>): void;
  /** Takes no new connections, closes idle ones, resolves when the last is closed. */
  close(): Promise<void>;
  /** Destroys what is left. */
  destroy(): void;
}

/** How one relay thread of several listens. */
export interface SharedListening {
  /** Several sockets may listen on one port, and the kernel spreads the connections over them. */
  readonly reusePort: true;
  readonly onConnection: (socket: Socket) => void;
}

/** Listens for clients. Rejects where the port cannot be had, and with `UnusableTls`. */
export async function listenForClients(
  { listen, tls, timeouts, cors, pool }: Settings,
  handle: (request: ClientRequest, response: ServerResponse) => void,
  shared: SharedListening | null = null,
): Promise<ClientServer> {
  const options = {
    IncomingMessage: ClientRequest,
    // Answered by the corridor, in JSON and with an id, as everything else.
    requireHostHeader: false,
    // All that can be done for a client that waits long for an answer that is no stream (see keep-alive.ts).
    keepAlive: true,
    keepAliveInitialDelay: pool.tcpKeepAliveMs,
    // How late slow headers may be found out; Node looks every 30 s by default.
    connectionsCheckingInterval: Math.max(20, Math.min(1000, timeouts.clientBodyMs / 4)),
  };
  const secure = tls
    ? nodeHttps().createServer<typeof ClientRequest>({ ...options, ...readTlsFiles('tls', tls) })
    : null;
  const server: Server<typeof ClientRequest> = secure ?? createServer<typeof ClientRequest>(options);
  let markForPage = crossOrigin(cors);
  const nextId = uuid7Source(() => systemClock.wall());
  /** The last answer on each connection, ended or not. */
  const lastAnswers = new WeakMap<Socket, ServerResponse<ClientRequest>>();
  const take = (request: ClientRequest, response: ServerResponse<ClientRequest>): void => {
    lastAnswers.set(request.socket, response);
    const fault = headFault(request);
    markForPage?.(request, response);
    if (fault === null) return handle(request, response);
    const headers = ['x-request-id', nextId(), 'content-type', 'application/json'];
    sendBodyUnread(request, response, fault.status, headers, refusalBody(fault), systemClock);
  };
  server.on('request', take);
  if (shared) server.on('connection', shared.onConnection);
  server.headersTimeout = timeouts.clientBodyMs;
  // Bodies have their own limit in http/read-body.ts; Node's would end long uploads of honest clients.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // Answered by the corridor, which may refuse before the client sends its body; an unknown expectation is ignored.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = lastAnswers.get(socket);
    if (!response || response.writableFinished) return refuseBadRequest(error, socket, nextId());
    // A body's chunks are broken while the corridor reads it: it answers. In any other place an answer is under way into
    // which nothing can be written.
    const { req: request } = response;
    if (isMalformed(error) && !request.complete && request.failBody(error)) return;
    if (!response.headersSent || !isMalformed(error)) socket.destroy();
  });
  const { host } = listen;
  await startListening(server, { host, port: listen.port, backlog: 4096, reusePort: shared?.reusePort ?? false });
  const port = portOf(server);
  return {
    url: `${tls ? 'https' : 'http'}://${authority(host, port)}`,
    port,
    replaceSettings: (changed) => {
      if (secure && changed.tls) renewTls(secure, changed.tls);
      markForPage = crossOrigin(changed.cors);
      server.headersTimeout = changed.timeouts.clientBodyMs;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    destroy: () => server.closeAllConnections(),
  };
}

/** What Node's parser refuses: no request exists yet, so the answer is written by hand and the connection closed. */
function refuseBadRequest(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (!socket.writable) return void socket.destroy();
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const isTooSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const [status, code, message]: [string, ErrorCode, string] = isTooLarge
    ? ['431 Request Header Fields Too Large', 'invalid_header', 'The request headers are too large.']
    : isTooSlow
      ? ['408 Request Timeout', 'body_timeout', 'The request headers did not arrive in time.']
      : ['400 Bad Request', 'invalid_header', 'This is not a well-formed HTTP/1.1 request.'];
  const body = refusalBody({ code, message }).toString();
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nconnection: close\r\nx-request-id: ${requestId}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Whoever read the settings has told what is wrong with the files; here they may be in the middle of being replaced. */
function renewTls(server: { setSecureContext: (files: TlsFiles) => void }, tls: ListenerTls): void {
  try {
    server.setSecureContext(readTlsFiles('tls', tls));
  } catch (error) {
    if (!(error instanceof UnusableTls)) throw error;
  }
}
