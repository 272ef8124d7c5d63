import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import type { Settings } from '../../fleet/settings.ts';

// The clients' listener on node:http: a parser that the world has attacked for years stands between us and the outside.

/** Longer than the pools of common clients keep idle sockets, so that it is they who close first. */
const KEEP_ALIVE_MS = 75_000;

export interface ClientServer {
  /** Where it listens; the port is the real one where 0 was asked for. */
  readonly url: string;
  /** Takes no new connections, closes idle ones, resolves when the last is closed. */
  close(): Promise<void>;
  /** Destroys what is left. */
  destroy(): void;
}

/** Listens for clients. Rejects where the port cannot be had. */
export async function listenForClients(
  { listen, tls, timeouts }: Settings,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ClientServer> {
  const server: Server = tls
    ? createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, handle)
    : createPlainServer(handle);
  server.headersTimeout = timeouts.clientBodyMs;
  // Bodies have their own limit in http/read-body.ts; Node's would end long uploads of honest clients.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // Answered by the corridor, which may refuse before the client sends its body.
  server.on('checkContinue', handle);
  server.on('clientError', refuseBadRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: listen.host, port: listen.port, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = addressOf(server);
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    destroy: () => server.closeAllConnections(),
  };
}

/** What Node's parser refuses: no request exists yet, so the answer is written by hand and the connection closed. */
function refuseBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const isTooSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const [status, code, message] = isTooLarge
    ? ['431 Request Header Fields Too Large', 'invalid_header', 'The request headers are too large.']
    : isTooSlow
      ? ['408 Request Timeout', 'body_timeout', 'The request headers did not arrive in time.']
      : ['400 Bad Request', 'invalid_header', 'This is not a well-formed HTTP/1.1 request.'];
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no address');
  return address;
}
