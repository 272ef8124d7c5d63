import { request as plainRequest, type IncomingMessage } from 'node:http';
import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { request as tlsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { MOST_STREAMS, SESSION_WINDOW_BYTES, STREAM_WINDOW_BYTES, watchSession } from './live-session.ts';

// The agent's end of a tunnel: it dials the router, asks for the tunnel with an upgrade (RFC 9110, 7.8), and from then on serves HTTP/2 on
// that socket. Every CONNECT stream becomes a connection to the engine, and to nothing else: whatever a router asks for, an agent
// is no way into its network.

const DIAL_WITHIN_MS = 10_000;
const CONNECT_WITHIN_MS = 10_000;
const LONGEST_REFUSAL = 16_384;

export interface FarEndOptions {
  /** Of the agents' listener. */
  readonly router: URL;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: string;
  /** PEM; null: the system's. */
  readonly ca: string | null;
  /** Where the engine is at the time of a connection. */
  readonly engine: () => { readonly host: string; readonly port: number };
  readonly clock: Clock;
}

/** The router said no, or what answered is no router. */
export class TunnelRefused extends Error {
  override readonly name = 'TunnelRefused';
  readonly status: number;
  /** What was answered, whole or cut. */
  readonly text: string;

  constructor(status: number, text: string) {
    super(`the router answered ${status}`);
    this.status = status;
    this.text = text;
  }
}

export interface FarEnd {
  /** Resolves when the tunnel is gone. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Resolves once the tunnel is open. Rejects with `TunnelRefused`, or with the system's error where the router cannot be reached. */
export async function openFarEnd(options: FarEndOptions): Promise<FarEnd> {
  const socket = await dial(options);
  const session = performServerHandshake(socket, {
    maxSessionMemory: 64,
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: MOST_STREAMS },
  });
  session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  session.on('error', () => undefined);
  watchSession(session, options.clock);
  socket.once('end', () => session.destroy());
  session.on('stream', (stream, headers) => {
    if (headers[':method'] === 'CONNECT') carry(stream, options.engine());
    else stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  session.once('close', resolve);
  return { ended, close: () => session.destroy() };
}

function carry(stream: ServerHttp2Stream, engine: { readonly host: string; readonly port: number }): void {
  const socket = connect({ ...engine, noDelay: true });
  socket.setTimeout(CONNECT_WITHIN_MS, () => socket.destroy());
  let isConnected = false;
  socket.once('connect', () => {
    isConnected = true;
    socket.setTimeout(0);
    stream.respond({ ':status': 200 });
    stream.pipe(socket);
    socket.pipe(stream);
  });
  socket.on('error', () => {
    stream.close(isConnected ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_CONNECT_ERROR);
  });
  socket.once('close', () => {
    // What was read of the engine before it hung up still goes out.
    if (!isConnected) stream.close(constants.NGHTTP2_CONNECT_ERROR);
    else if (!stream.writableEnded) stream.end();
  });
  stream.on('error', () => socket.destroy());
  stream.once('close', () => socket.destroy());
}

function dial({ router, path, headers, protocol, ca }: FarEndOptions): Promise<Duplex> {
  const isTls = router.protocol === 'https:';
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const wanted = {
    host: router.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: router.port === '' ? (isTls ? 443 : 80) : Number(router.port),
    path,
    headers: { ...headers, host: router.host, connection: 'Upgrade', upgrade: protocol },
    agent: false,
  };
  const asked = isTls ? tlsRequest({ ...wanted, ...(ca === null ? {} : { ca }) }) : plainRequest(wanted);
  const refuse = async (response: IncomingMessage): Promise<void> => {
    const text = await refusalText(response);
    asked.destroy();
    reject(new TunnelRefused(response.statusCode ?? 0, text));
  };
  asked.setTimeout(DIAL_WITHIN_MS, () => asked.destroy(new Error(`no answer within ${DIAL_WITHIN_MS / 1000} s`)));
  asked.once('error', reject);
  asked.once('response', (response) => {
    void refuse(response);
  });
  asked.once('upgrade', (_response, socket, head) => {
    socket.setTimeout(0);
    socket.setNoDelay(true);
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  asked.end();
  return promise;
}

async function refusalText(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > LONGEST_REFUSAL) break;
    }
  } catch {
    // What came of it is told.
  }
  return text;
}
