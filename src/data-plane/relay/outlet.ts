import type { ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

// The client's side of an answer that is relayed: what was written, when it began, and whether the client keeps up. Where it does
// not, the node is paused, so that a slow client costs the socket's buffer and never the answer's length.
//
// A body of unknown length is framed here and not by node:http, which writes every chunk as four pieces. Whether it is framed at
// all stays node:http's word, which knows what the client's version of HTTP understands: it says so by `chunkedEncoding`.

/** Told of a client's pace. */
export interface Paced {
  /** It has taken nothing for a while: send no more. */
  stuck(): void;
  /** It takes again. */
  taken(): void;
}

const LAST_CHUNK = '0\r\n\r\n';

export class Outlet {
  /** Monotonic ms of the first byte; null before it. */
  firstByteAt: number | null = null;
  /** Of the body, without its framing. */
  sentBytes = 0;
  /** Monotonic ms since when the client has taken nothing; null while it keeps up, or waits for its turn. */
  stuckSince: number | null = null;
  /** It answers a request that came behind another one on the same connection, and its client can take nothing of it yet. */
  get waitsForTurn(): boolean {
    return this.#response.socket === null && !this.#response.destroyed;
  }

  /** Ends the answer once all of it was written, where its client may still be sending; null: at once. */
  ending: (() => void) | null = null;
  /** Whoever writes. */
  paced: Paced | null = null;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #isOpen = false;
  #isChunked = false;
  #isStuck = false;

  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
  }

  get hasBegun(): boolean {
    return this.firstByteAt !== null;
  }

  /** The head is out, so that nothing but a stream can follow. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends the head of a body whose end is told by its framing. Bytes follow in the same step. */
  open(status: number, headers: string[]): void {
    const response = this.#response;
    this.#isOpen = true;
    response.writeHead(status, headers);
    this.#isChunked = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** The answer begins: with its head, unless that is out. Its first bytes follow in the same step. */
  begin(status: number, headers: string[]): void {
    this.firstByteAt = this.#clock.now();
    if (!this.#isOpen) this.open(status, headers);
  }

  /** Sends what keeps the connection open, unless the client could not take it now. */
  keepAlive(bytes: Buffer): void {
    if (!this.#isStuck) this.write(bytes);
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.sentBytes += bytes.length;
    // Corked by node:http it would leave a tick later, at the price of that tick.
    const { socket } = this.#response;
    socket?.cork();
    const isTaken = this.#response.write(this.#isChunked ? chunkOf(bytes) : bytes);
    socket?.uncork();
    if (isTaken || this.#isStuck) return;
    this.#isStuck = true;
    this.paced?.stuck();
    const began = (): void => void (this.stuckSince = this.#clock.now());
    if (this.waitsForTurn) this.#response.once('socket', began);
    else began();
    this.#response.once('drain', () => {
      this.#isStuck = false;
      this.stuckSince = null;
      this.paced?.taken();
    });
  }

  /** Ends a body that was begun, after some last bytes where there are any. */
  end(bytes?: Buffer): void {
    if (bytes) this.write(bytes);
    if (this.ending) {
      if (this.#isChunked) this.#response.write(LAST_CHUNK, 'latin1');
      this.ending();
    } else if (this.#isChunked) this.#response.end(LAST_CHUNK, 'latin1');
    else this.#response.end();
  }

  /** Sends a whole answer. */
  send(status: number, headers: string[], body: Buffer): void {
    this.firstByteAt = this.#clock.now();
    this.sentBytes += body.length;
    headers.push('content-length', String(body.length));
    this.#response.writeHead(status, headers);
    if (this.ending) {
      this.#response.write(body);
      this.ending();
    } else this.#response.end(body);
  }

  /** The client is given up. */
  cut(): void {
    this.#response.destroy();
  }

  /** Ends a body in such a way that no client takes what it has for the whole. */
  breakOff(): void {
    const { socket } = this.#response;
    // A plain close is how a body of HTTP/1.0 ends well. TLS has a word of its own for an end, which destroying leaves out.
    if (socket && !this.#isChunked && !('encrypted' in socket)) socket.resetAndDestroy();
    else this.cut();
  }
}

/** RFC 9112, section 7.1: the length in hexadecimal, then the bytes, in one piece so that one write carries them. */
function chunkOf(bytes: Buffer): Buffer {
  const size = bytes.length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 4);
  chunk.write(size, 'latin1');
  let at = size.length;
  chunk[at++] = 0x0d;
  chunk[at++] = 0x0a;
  at += bytes.copy(chunk, at);
  chunk[at++] = 0x0d;
  chunk[at] = 0x0a;
  return chunk;
}
