import type { Client as UndiciClient } from 'undici';
import Client from 'undici/lib/dispatcher/client.js';
import type { Clock } from '../lib/clock.ts';
import type { Exchange, ExchangeRequest, Receiver, Target } from './exchange.ts';
import { IdleLimit } from './idle-limit.ts';
import { errorCode } from './failures.ts';
import { PooledExchange } from './pooled-exchange.ts';

// Connections to one node: one undici `Client` per socket, kept on a stack, last used first out, so that a quiet hour
// shrinks the pool from its cold end. undici's own `Pool` cannot bound idle sockets and picks the oldest.
//
// Engines close idle sockets when they please (uvicorn after 5 s), and a request written into a socket that is just
// being closed dies of it. Two defences: sockets are retired before the age at which the node was seen closing
// them (idle-limit.ts), and a reset of a *reused* socket before any byte of the answer is tried once more on a fresh one.
// A fresh socket's reset is never retried here: it may be the node dying of this very request.

export interface PoolOptions {
  readonly maxIdlePerNode: number;
  readonly idleTimeoutMs: number;
  readonly tcpKeepAliveMs: number;
}

export interface PoolSockets {
  readonly idle: number;
  readonly busy: number;
  /** Sockets opened since the start. */
  readonly opened: number;
}

export interface Socket {
  readonly client: UndiciClient;
  /** Exchanges completed on it. */
  uses: number;
  idleSince: number;
}

export class NodePool {
  readonly #target: Target;
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #idle: Socket[] = [];
  readonly #busy = new Set<Socket>();
  readonly #idleLimit: IdleLimit;
  #opened = 0;
  #closed = false;

  constructor(target: Target, options: PoolOptions, clock: Clock) {
    this.#target = target;
    this.#options = options;
    this.#clock = clock;
    this.#idleLimit = new IdleLimit(options.idleTimeoutMs);
  }

  /** False when the node's address, TLS or connect time-out changed since this pool was made. */
  serves(target: Target): boolean {
    const mine = this.#target;
    if (mine.origin !== target.origin || mine.connectMs !== target.connectMs) return false;
    return mine.tls === target.tls || JSON.stringify(mine.tls) === JSON.stringify(target.tls);
  }

  sockets(): PoolSockets {
    return { idle: this.#idle.length, busy: this.#busy.size, opened: this.#opened };
  }

  exchange(request: ExchangeRequest, receiver: Receiver): Exchange {
    return new PooledExchange(this, request, receiver);
  }

  /** The most recently used idle socket young enough to be alive, else a fresh one. */
  take(fresh: boolean): Socket {
    const now = this.#clock.now();
    const limit = this.#idleLimit.limitMs(now);
    for (let socket = fresh ? undefined : this.#idle.pop(); socket; socket = this.#idle.pop()) {
      if (now - socket.idleSince < limit) {
        this.#busy.add(socket);
        return socket;
      }
      destroyQuietly(socket.client);
    }
    const socket = this.#open();
    this.#busy.add(socket);
    return socket;
  }

  /** Takes a socket back after a complete exchange. */
  giveBack(socket: Socket): void {
    this.#busy.delete(socket);
    socket.uses += 1;
    if (this.#closed || socket.client.destroyed || this.#idle.length >= this.#options.maxIdlePerNode) {
      destroyQuietly(socket.client);
      return;
    }
    socket.idleSince = this.#clock.now();
    this.#idle.push(socket);
  }

  discard(socket: Socket): void {
    this.#busy.delete(socket);
    destroyQuietly(socket.client);
  }

  /** Idle sockets close now, busy ones when their exchange ends. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#idle.splice(0)) destroyQuietly(socket.client);
  }

  destroy(): void {
    this.close();
    for (const socket of this.#busy) destroyQuietly(socket.client);
    this.#busy.clear();
  }

  #open(): Socket {
    this.#opened += 1;
    const { tls, origin, connectMs } = this.#target;
    const { idleTimeoutMs, tcpKeepAliveMs } = this.#options;
    const client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      // undici shortens its idle time-out by itself where the node sends `Keep-Alive: timeout=…`.
      keepAliveTimeout: Math.max(1, idleTimeoutMs),
      keepAliveMaxTimeout: Math.max(1, idleTimeoutMs),
      keepAliveTimeoutThreshold: 1000,
      // The attempt bounds every phase itself. undici's silent 300 s would end slow local models.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: connectMs,
        keepAlive: tcpKeepAliveMs > 0,
        keepAliveInitialDelay: tcpKeepAliveMs,
        ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls?.key === undefined ? {} : { key: tls.key }),
        ...(tls?.verify === false ? { rejectUnauthorized: false } : {}),
      },
    });
    const socket: Socket = { client, uses: 0, idleSince: 0 };
    client.on('disconnect', (_origin, _targets, error) => {
      const at = this.#idle.indexOf(socket);
      if (at < 0) return;
      this.#idle.splice(at, 1);
      // Only a close or reset by the peer teaches anything; undici's own idle time-out, and a close that the answer had
      // announced (`Connection: close`), are InformationalErrors.
      if (errorCode(error) !== 'UND_ERR_INFO') {
        const now = this.#clock.now();
        this.#idleLimit.learn(now - socket.idleSince, now);
      }
      destroyQuietly(client);
    });
    return socket;
  }
}

function destroyQuietly(client: UndiciClient): void {
  if (!client.destroyed) client.destroy().catch(() => undefined);
}
