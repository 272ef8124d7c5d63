import { IncomingMessage } from '../../lib/node-http.ts';

// A client's request whose body can be taken as it is parsed, without what a stream costs on the way: buffering, events, and ticks
// between them. node:http lets the class of requests be chosen; that its parser gives a body to `push`, and that a request counts as
// read by `_consuming` and `readableEnded`, is how Node's own stream works inside and no contract. So it is done only on the
// versions it is tested on; on others the body is taken from the stream's events.
//
// Who takes a body this way has it as fast as it comes, unless it pauses it: then the socket is read no more after the read under way.

const TESTED_ON: ReadonlySet<string> = new Set(['24', '26']);
const isTested = TESTED_ON.has(process.versions.node.split('.', 1)[0] ?? '');

/** Receives a body as it arrives; after `onEnd` or `onError` nothing more. */
export interface BodyReceiver {
  onChunk(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

export class ClientRequest extends IncomingMessage {
  #receiver: BodyReceiver | null = null;
  #wasTaken = false;
  #isPaused = false;
  /** Node's: somebody reads it, so it need not be read away after the answer. */
  declare _consuming: boolean;

  /** Gives the body to `receiver` from here on. Call it in the step in which the request came, before any of it has. */
  takeBody(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    if (isTested) {
      this.#wasTaken = true;
      this._consuming = true;
      return;
    }
    this.on('data', (chunk: Buffer) => this.#receiver?.onChunk(chunk));
    this.on('end', () => this.#receiver?.onEnd());
  }

  /** The receiver gets what was read already, and no more until `resumeBody`. */
  pauseBody(): void {
    this.#isPaused = true;
    if (!isTested) this.pause();
  }

  resumeBody(): void {
    this.#isPaused = false;
    if (isTested) this.socket.resume();
    else this.resume();
  }

  /** The receiver gets no more; what still comes is the stream's. */
  releaseBody(): void {
    this.#receiver = null;
    if (!this.complete) this.#wasTaken = false;
    if (!isTested) this.removeAllListeners('data').removeAllListeners('end');
  }

  /** Tells the receiver that the body is broken; false where there is none. */
  failBody(error: Error): boolean {
    const receiver = this.#receiver;
    this.releaseBody();
    receiver?.onError(error);
    return receiver !== null;
  }

  /** True where all of it was taken, for Node's word that a stream has ended. */
  get wasTakenWhole(): boolean {
    return this.#wasTaken && this.complete;
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const receiver = this.#receiver;
    if (!isTested || !receiver) return this.wasTakenWhole ? true : super.push(chunk, encoding);
    if (chunk instanceof Buffer) {
      receiver.onChunk(chunk);
      // Node's word for reading no further.
      return !this.#isPaused;
    }
    this.#receiver = null;
    receiver.onEnd();
    return true;
  }
}

const streamEnded = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(IncomingMessage.prototype), 'readableEnded');

Object.defineProperty(ClientRequest.prototype, 'readableEnded', {
  configurable: true,
  get(this: ClientRequest): boolean {
    return this.wasTakenWhole || streamEnded?.get?.call(this) === true;
  },
});
