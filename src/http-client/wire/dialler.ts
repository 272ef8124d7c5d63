import { connect, isIP, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Target } from '../exchange.ts';

// Opens sockets to one node. The name is resolved anew for each, so that a node whose address changed is found, and of several
// addresses the first that answers is taken (happy eyeballs, RFC 8305, as Node does it). TLS offers HTTP/1.1 alone and takes up
// the last session where the node allows it.

export interface DialOptions {
  readonly tcpKeepAliveMs: number;
  /** One for all plain sockets of a thread: reads never overlap, and what a read delivers is used up or copied at once. */
  readonly readBuffer: Buffer;
}

type Place = { readonly host: string; readonly port: number } | { readonly path: string };

export class Dialler {
  /** The value of `host`. */
  readonly host: string;
  readonly #hostname: string;
  readonly #place: Place;
  readonly #target: Target;
  readonly #options: DialOptions;
  readonly #isTls: boolean;
  #context: SecureContext | null = null;
  #session: Buffer | null = null;

  constructor(target: Target, options: DialOptions) {
    const { protocol, host, hostname, port } = new URL(target.origin);
    this.host = host;
    this.#hostname = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    this.#isTls = protocol === 'https:';
    this.#place =
      target.socketPath === undefined
        ? { host: this.#hostname, port: port === '' ? (this.#isTls ? 443 : 80) : Number(port) }
        : { path: target.socketPath };
    this.#target = target;
    this.#options = options;
  }

  /**
   * Starts to connect. `onRead` gets every read's bytes, [0, to) of a buffer, and whether that is lent; `onReady` is called once
   * bytes may be sent, for TLS after the certificate was verified. Throws where the TLS material cannot be used.
   */
  dial(onRead: (bytes: Buffer, to: number, isLent: boolean) => void, onReady: () => void): Socket {
    const { tcpKeepAliveMs, readBuffer } = this.#options;
    const options = {
      ...this.#place,
      noDelay: true,
      keepAlive: tcpKeepAliveMs > 0,
      keepAliveInitialDelay: tcpKeepAliveMs,
    };
    if (!this.#isTls) {
      const onread = {
        buffer: readBuffer,
        callback: (read: number): boolean => {
          onRead(readBuffer, read, true);
          return true;
        },
      };
      return connect({ ...options, onread }).once('connect', onReady);
    }
    const socket = this.#connectTls(options);
    socket.on('data', (bytes: Buffer) => onRead(bytes, bytes.length, false));
    return socket.once('secureConnect', () => {
      // A session taken up again skips the look at the certificate's names, so only one that passed it is kept.
      socket.on('session', (session: Buffer) => {
        this.#session = session;
      });
      onReady();
    });
  }

  #connectTls(options: Place): TLSSocket {
    // Loaded only where a node has TLS.
    const tls = process.getBuiltinModule('node:tls');
    const { ca, cert, key, verify } = this.#target.tls ?? {};
    this.#context ??= tls.createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    return tls.connect({
      ...options,
      secureContext: this.#context,
      ALPNProtocols: ['http/1.1'],
      // RFC 6066, 3: an address is no server name.
      ...(isIP(this.#hostname) === 0 ? { servername: this.#hostname } : {}),
      ...(this.#session === null ? {} : { session: this.#session }),
      rejectUnauthorized: verify !== false,
    });
  }
}
