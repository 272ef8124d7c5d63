import type { Clock } from '../lib/clock.ts';
import {
  ExchangeError,
  type Exchange,
  type ExchangeFailure,
  type ExchangeRequest,
  type Receiver,
  type ResponseHeaders,
  type Target,
} from './exchange.ts';
import { NodePool, type PoolOptions, type PoolSockets } from './node-pool.ts';

// The one way out to nodes: inference, probes and every other call share these pools, one per node and thread.
// There is no time-out on total length anywhere: phases are bounded by whoever starts an exchange.

export interface HttpClient {
  /** Starts an exchange; the receiver is never called before this returns. */
  exchange(target: Target, request: ExchangeRequest, receiver: Receiver): Exchange;
  /** A whole small answer, bounded in time (`totalMs`) and size; rejects with `ExchangeError`. For probes and administration. */
  fetch(target: Target, request: ExchangeRequest, bounds: FetchBounds): Promise<FetchedResponse>;
  sockets(pool: string): PoolSockets;
  /** Closes idle sockets of a pool whose node is gone; busy ones close when their exchange ends. */
  retire(pool: string): void;
  /** Makes pools with these from now on; those there are close as their exchanges end. */
  replaceOptions(options: PoolOptions): void;
  /** Destroys every socket. */
  close(): void;
}

export interface FetchBounds {
  readonly totalMs: number;
  readonly maxBytes: number;
}

export interface FetchedResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
}

/** What one read takes at most; Node's own reads are as long. */
const READ_BYTES = 64 * 1024;

/** Makes the pool of one thread. Every path that talks to a node uses the one in its thread's state. */
export function createHttpClient(given: PoolOptions, clock: Clock): HttpClient {
  let options = given;
  const pools = new Map<string, NodePool>();
  const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** Pools of nodes that are gone or have moved, while exchanges still run on them. */
  const retired = new Set<NodePool>();
  const setAside = (pool: NodePool): void => {
    pool.close();
    for (const old of retired) if (old.sockets().busy === 0) retired.delete(old);
    if (pool.sockets().busy > 0) retired.add(pool);
  };
  const poolOf = (target: Target): NodePool => {
    let pool = pools.get(target.pool);
    if (pool && !pool.serves(target)) {
      setAside(pool);
      pool = undefined;
    }
    if (!pool) {
      pool = new NodePool(target, options, clock, readBuffer);
      pools.set(target.pool, pool);
    }
    return pool;
  };
  const exchange: HttpClient['exchange'] = (target, request, receiver) => poolOf(target).exchange(request, receiver);
  return {
    exchange,
    fetch: (target, request, bounds) =>
      new Promise((resolve, reject) => {
        let status = 0;
        let headers: ResponseHeaders = {};
        const chunks: Buffer[] = [];
        let bytes = 0;
        const fail = (failure: ExchangeFailure, message: string): void => {
          running.abort();
          stop();
          reject(new ExchangeError(failure, new Error(message)));
        };
        const running = exchange(target, request, {
          onHead: (code, received) => {
            status = code;
            headers = received;
          },
          onData: (chunk) => {
            bytes += chunk.length;
            if (bytes > bounds.maxBytes) fail('garbage', `the answer is longer than ${bounds.maxBytes} bytes`);
            else chunks.push(chunk);
          },
          onEnd: () => {
            stop();
            resolve({ status, headers, body: Buffer.concat(chunks) });
          },
          onError: (error) => {
            stop();
            reject(error);
          },
        });
        const stop = clock.after(bounds.totalMs, () => fail('reset', `no complete answer within ${bounds.totalMs} ms`));
      }),
    sockets: (name) => pools.get(name)?.sockets() ?? { idle: 0, busy: 0, opened: 0 },
    retire: (name) => {
      const pool = pools.get(name);
      if (pool) setAside(pool);
      pools.delete(name);
    },
    replaceOptions: (changed) => {
      options = changed;
      for (const pool of pools.values()) setAside(pool);
      pools.clear();
    },
    close: () => {
      for (const pool of [...pools.values(), ...retired]) pool.destroy();
      pools.clear();
      retired.clear();
    },
  };
}
