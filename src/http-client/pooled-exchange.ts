import { DecodingReceiver, isCoded } from './decoding.ts';
import { ExchangeError, type Exchange, type ExchangeRequest, type Receiver, type ResponseHeaders } from './exchange.ts';
import type { NodePool } from './node-pool.ts';
import type { Connection, ConnectionUser } from './wire/connection.ts';
import { type RequestBytes, requestBytes } from './wire/request-head.ts';

// One request on one connection, or on two if the first was a reused one that turned out to be dead. A body that comes piece by piece
// cannot be sent a second time, so it gets a fresh connection, which cannot be dead already.

export class PooledExchange implements Exchange, ConnectionUser {
  isOver = false;
  readonly #pool: NodePool;
  readonly #isBodiless: boolean;
  #receiver: Receiver;
  /** Set where the node coded its answer's body. */
  #decoding: DecodingReceiver | null = null;
  #connection: Connection | null = null;
  /** Kept only while it may have to be sent again. */
  #again: RequestBytes | null = null;
  #isPaused = false;

  constructor(pool: NodePool, request: ExchangeRequest, receiver: Receiver) {
    this.#pool = pool;
    this.#receiver = receiver;
    this.#isBodiless = request.method === 'HEAD';
    const bytes = requestBytes(request, pool.host);
    if (typeof bytes === 'string') {
      // The caller must have its exchange first.
      queueMicrotask(() => this.#end(new ExchangeError('reset', new Error(bytes))));
      return;
    }
    const connection = pool.take(bytes.paced !== null);
    if (connection.uses > 0) this.#again = bytes;
    this.#send(connection, bytes);
  }

  pause(): void {
    this.#decoding?.pause();
    this.#pauseConnection();
  }

  resume(): void {
    this.#resumeConnection();
    this.#decoding?.resume();
  }

  abort(): void {
    this.#decoding?.stop();
    this.#abortConnection();
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#again = null;
    if (status >= 300) this.#connection?.stopSending();
    if (isCoded(headers)) this.#decode();
    this.#receiver.onHead(status, headers);
  }

  onData(chunk: Buffer): void {
    this.#receiver.onData(chunk);
  }

  onComplete(isReusable: boolean): void {
    const connection = this.#connection;
    if (this.isOver || !connection) return;
    this.isOver = true;
    this.#connection = null;
    if (isReusable) this.#pool.giveBack(connection);
    else this.#pool.discard(connection);
    this.#receiver.onEnd();
  }

  onFailure(error: ExchangeError, hadAnswer: boolean): void {
    const connection = this.#connection;
    if (this.isOver || !connection) return;
    this.#pool.discard(connection);
    const again = this.#again;
    this.#again = null;
    if (again === null || hadAnswer || error.failure !== 'reset') return this.#end(error);
    this.#send(this.#pool.take(true), again);
  }

  #send(connection: Connection, bytes: RequestBytes): void {
    this.#connection = connection;
    if (this.#isPaused) connection.pause();
    connection.send(this, bytes, this.#isBodiless);
  }

  #end(error: ExchangeError): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#connection = null;
    this.#receiver.onError(error);
  }

  #pauseConnection(): void {
    this.#isPaused = true;
    this.#connection?.pause();
  }

  #resumeConnection(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  #abortConnection(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#again = null;
    if (this.#connection) this.#pool.discard(this.#connection);
    this.#connection = null;
  }

  #decode(): void {
    this.#decoding = new DecodingReceiver(this.#receiver, {
      pause: () => this.#pauseConnection(),
      resume: () => this.#resumeConnection(),
      abort: () => this.#abortConnection(),
    });
    this.#receiver = this.#decoding;
  }
}
