import { DecodingReceiver, isCoded } from './decoding.ts';
import type { Exchange, ExchangeRequest, Receiver } from './exchange.ts';
import { toExchangeError } from './failures.ts';
import type { NodePool, Socket } from './node-pool.ts';

/** One request on one socket, or on two if the first was a reused one that turned out to be dead. */
export class PooledExchange implements Exchange {
  readonly #pool: NodePool;
  readonly #request: ExchangeRequest;
  #receiver: Receiver;
  /** Set where the node coded its answer's body. */
  #decoding: DecodingReceiver | null = null;
  #socket: Socket;
  #controller: { pause(): void; resume(): void } | null = null;
  #paused = false;
  #answered = false;
  #over = false;

  constructor(pool: NodePool, request: ExchangeRequest, receiver: Receiver) {
    this.#pool = pool;
    this.#request = request;
    this.#receiver = receiver;
    this.#socket = pool.take(false);
    this.#send();
  }

  pause(): void {
    this.#decoding?.pause();
    this.#pauseSocket();
  }

  resume(): void {
    this.#resumeSocket();
    this.#decoding?.resume();
  }

  abort(): void {
    this.#decoding?.stop();
    this.#abortSocket();
  }

  #pauseSocket(): void {
    this.#paused = true;
    this.#controller?.pause();
  }

  #resumeSocket(): void {
    this.#paused = false;
    this.#controller?.resume();
  }

  #abortSocket(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.discard(this.#socket);
  }

  #send(): void {
    const socket = this.#socket;
    const { method, path, headers, body } = this.#request;
    // A client torn down while this exchange was on it may still report; only the current socket is listened to.
    const isCurrent = (): boolean => !this.#over && this.#socket === socket;
    let isHandingOver = true;
    socket.client.dispatch(
      { method, path, headers: [...headers], body },
      {
        onRequestStart: (controller) => {
          this.#controller = controller;
          if (this.#paused) controller.pause();
        },
        onResponseStart: (_controller, status, responseHeaders) => {
          if (!isCurrent() || status < 200) return;
          this.#answered = true;
          if (isCoded(responseHeaders)) this.#decode();
          this.#receiver.onHead(status, responseHeaders);
        },
        onResponseData: (_controller, chunk) => {
          if (isCurrent()) this.#receiver.onData(chunk);
        },
        onResponseEnd: () => {
          if (!isCurrent()) return;
          this.#over = true;
          this.#pool.giveBack(socket);
          this.#receiver.onEnd();
        },
        // A request that undici will not send fails while it is handed over; the caller must have its exchange first.
        onResponseError: (_controller, cause) =>
          isHandingOver ? queueMicrotask(() => this.#failed(socket, cause)) : this.#failed(socket, cause),
      },
    );
    isHandingOver = false;
  }

  #decode(): void {
    this.#decoding = new DecodingReceiver(this.#receiver, {
      pause: () => this.#pauseSocket(),
      resume: () => this.#resumeSocket(),
      abort: () => this.#abortSocket(),
    });
    this.#receiver = this.#decoding;
  }

  #failed(socket: Socket, cause: Error): void {
    if (this.#over || this.#socket !== socket) return;
    const error = toExchangeError(cause);
    this.#pool.discard(socket);
    if (socket.uses > 0 && !this.#answered && error.failure === 'reset') {
      this.#socket = this.#pool.take(true);
      this.#send();
      return;
    }
    this.#over = true;
    this.#receiver.onError(error);
  }
}
