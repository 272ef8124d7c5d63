import type { Clock } from '../lib/clock.ts';
import type { Exchange, ExchangeRequest, Receiver, Target } from './exchange.ts';
import { IdleLimit } from './idle-limit.ts';
import { PooledExchange } from './pooled-exchange.ts';
import { Connection } from './wire/connection.ts';
import { Dialler } from './wire/dialler.ts';

// Connections to one node, the idle ones on a stack, last used first out, so that a quiet hour shrinks the pool from its cold end.
//
// Engines close idle sockets when they please (uvicorn after 5 s), and a request written into a socket that is just
// being closed dies of it. Three defences: a connection is closed a second before the time its node names in `Keep-Alive`, and
// before the age at which the node was seen closing them (idle-limit.ts); and a reset of a *reused* connection before any byte
// of the answer is tried once more on a fresh one. A fresh one's reset is never retried here: it may be the node dying of this
// very request.

const KEEP_ALIVE_MARGIN_MS = 1000;

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

export class NodePool {
  readonly #target: Target;
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #dialler: Dialler;
  /** The longest idle first. */
  readonly #idle: Connection[] = [];
  readonly #busy: Connection[] = [];
  readonly #idleLimit: IdleLimit;
  #opened = 0;
  #isClosed = false;
  #sweepAt = Infinity;
  #stopSweep: () => void = () => undefined;

  /** `readBuffer` is shared by all pools of a thread. */
  constructor(target: Target, options: PoolOptions, clock: Clock, readBuffer: Buffer) {
    this.#target = target;
    this.#options = options;
    this.#clock = clock;
    this.#dialler = new Dialler(target, { tcpKeepAliveMs: options.tcpKeepAliveMs, readBuffer });
    this.#idleLimit = new IdleLimit(options.idleTimeoutMs);
  }

  /** What requests to this node name as their host. */
  get host(): string {
    return this.#dialler.host;
  }

  /** False when the node's address, TLS or connect time-out changed since this pool was made. */
  serves(target: Target): boolean {
    const mine = this.#target;
    if (mine === target) return true;
    if (mine.origin !== target.origin || mine.socketPath !== target.socketPath) return false;
    if (mine.connectMs !== target.connectMs) return false;
    return mine.tls === target.tls || JSON.stringify(mine.tls) === JSON.stringify(target.tls);
  }

  sockets(): PoolSockets {
    return { idle: this.#idle.length, busy: this.#busy.length, opened: this.#opened };
  }

  exchange(request: ExchangeRequest, receiver: Receiver): Exchange {
    return new PooledExchange(this, request, receiver);
  }

  /** The most recently used idle connection young enough to be alive, else a fresh one. */
  take(fresh: boolean): Connection {
    const now = this.#clock.now();
    for (let idle = fresh ? undefined : this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (now < this.#dueAt(idle, now)) return this.#engage(idle);
      idle.destroy();
    }
    this.#opened += 1;
    return this.#engage(
      new Connection(this.#dialler, this.#target.connectMs, this.#clock, (connection, wasClosed) =>
        this.#lose(connection, wasClosed),
      ),
    );
  }

  /** Takes a connection back after a complete exchange. */
  giveBack(connection: Connection): void {
    this.#disengage(connection);
    connection.uses += 1;
    const now = this.#clock.now();
    connection.idleSince = now;
    const dueAt = this.#dueAt(connection, now);
    if (this.#isClosed || this.#idle.length >= this.#options.maxIdlePerNode || dueAt <= now) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    if (dueAt < this.#sweepAt) this.#sweepLater(dueAt, now);
  }

  discard(connection: Connection): void {
    this.#disengage(connection);
    connection.destroy();
  }

  /** Idle connections close now, busy ones when their exchange ends. */
  close(): void {
    this.#isClosed = true;
    this.#stopSweep();
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Ends everything; exchanges under way fail. */
  destroy(): void {
    this.close();
    for (const connection of this.#busy.splice(0)) connection.fail(new Error('the HTTP client was closed'));
  }

  #engage(connection: Connection): Connection {
    connection.place = this.#busy.length;
    this.#busy.push(connection);
    return connection;
  }

  #disengage(connection: Connection): void {
    const { place } = connection;
    if (this.#busy[place] !== connection) return;
    const last = this.#busy.pop();
    if (!last || last === connection) return;
    this.#busy[place] = last;
    last.place = place;
  }

  /** Monotonic ms at which an idle connection is no longer used. */
  #dueAt(connection: Connection, now: number): number {
    const limit = Math.min(this.#idleLimit.limitMs(now), connection.keepAliveMs - KEEP_ALIVE_MARGIN_MS);
    return connection.idleSince + limit;
  }

  /** An idle connection ended by itself. Only being closed teaches something of the node's habits. */
  #lose(connection: Connection, wasClosed: boolean): void {
    const at = this.#idle.indexOf(connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    const now = this.#clock.now();
    if (wasClosed) this.#idleLimit.learn(now - connection.idleSince, now);
  }

  /** One timer per pool, not one per idle connection; it is set anew only for something due sooner. */
  #sweepLater(dueAt: number, now: number): void {
    this.#stopSweep();
    this.#sweepAt = dueAt;
    this.#stopSweep = this.#clock.after(dueAt - now, () => this.#sweep());
  }

  #sweep(): void {
    const now = this.#clock.now();
    this.#sweepAt = Infinity;
    let nextAt = Infinity;
    const kept = this.#idle.filter((connection) => {
      const dueAt = this.#dueAt(connection, now);
      if (dueAt > now) nextAt = Math.min(nextAt, dueAt);
      return dueAt > now;
    });
    for (const connection of this.#idle.splice(0, this.#idle.length, ...kept)) {
      if (!kept.includes(connection)) connection.destroy();
    }
    if (nextAt < Infinity) this.#sweepLater(nextAt, now);
  }
}
