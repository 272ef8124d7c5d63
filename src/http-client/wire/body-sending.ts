import type { Socket } from 'node:net';
import type { BodySink, PacedBody } from '../exchange.ts';

// A request's body on its way to a node, at the node's pace. What must never be is that a node takes a part for the whole: a body whose
// length was told ends the connection where it turns out otherwise, and one in chunks gets its last chunk (RFC 9112, 7.1) only by
// `end`, so that everything else that ends it, a crash too, leaves the node with a body cut off.

export class BodySending implements BodySink {
  /** All of it was given to the socket. */
  isWhole = false;
  readonly #socket: Socket;
  readonly #body: PacedBody;
  readonly #fail: (cause: Error) => void;
  /** What is left of the length that was told; null where it is sent in chunks. */
  #left: number | null;
  #isStopped = false;
  #isStuck = false;

  constructor(socket: Socket, body: PacedBody, fail: (cause: Error) => void) {
    this.#socket = socket;
    this.#body = body;
    this.#fail = fail;
    this.#left = body.bytes;
  }

  begin(): void {
    this.#body.pour(this);
  }

  write(piece: Buffer): void {
    if (this.#isStopped || this.isWhole || piece.length === 0) return;
    if (this.#left !== null) {
      this.#left -= piece.length;
      if (this.#left < 0) return this.#fail(new Error('the body is longer than its length'));
    }
    if (this.#left === null) this.#writeChunk(piece);
    else this.#heed(this.#socket.write(piece));
  }

  end(): void {
    if (this.#isStopped || this.isWhole) return;
    if (this.#left !== null && this.#left > 0) return this.#fail(new Error('the body is shorter than its length'));
    if (this.#left === null) this.#socket.write('0\r\n\r\n', 'latin1');
    this.isWhole = true;
  }

  /** Nothing more is sent, and nothing more is wanted of the body. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (!this.isWhole) this.#body.pause();
  }

  #writeChunk(piece: Buffer): void {
    const socket = this.#socket;
    socket.cork();
    socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
    socket.write(piece);
    const isTaken = socket.write('\r\n', 'latin1');
    socket.uncork();
    this.#heed(isTaken);
  }

  #heed(isTaken: boolean): void {
    // A piece longer than the mark counts as not taken even where the system took all of it at once.
    if (isTaken || this.#isStuck || this.#socket.writableLength === 0) return;
    this.#isStuck = true;
    this.#body.pause();
    this.#socket.once('drain', () => {
      this.#isStuck = false;
      if (!this.#isStopped) this.#body.resume();
    });
  }
}
