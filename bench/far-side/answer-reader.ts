import { Buffer } from 'node:buffer';

// Reads the answers on one client connection: head, length or chunks, end. It reads what proxies on loopback send, strictly enough to notice
// a broken frame, and is no parser for strangers' bytes. Body bytes are handed on where they lie; whoever keeps them copies.

export interface AnswerSink {
  readonly onHead: (status: number, head: string) => void;
  /** The bytes from `start` to `end` are valid during the call only. */
  readonly onBody: (bytes: Buffer, start: number, end: number) => void;
  readonly onEnd: () => void;
}

type Expecting = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'close';

const LONGEST_LINE = 65_536;
const nothing = Buffer.alloc(0);

export class AnswerReader {
  readonly #sink: AnswerSink;
  #expecting: Expecting = 'head';
  #left = 0;
  #kept: Buffer = nothing;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** Reads the next `length` bytes. Throws where they are not HTTP. */
  push(received: Buffer, length: number): void {
    let bytes = received;
    let end = length;
    if (this.#kept.length > 0) {
      bytes = Buffer.concat([this.#kept, received.subarray(0, length)]);
      end = bytes.length;
      this.#kept = nothing;
    }
    let at = 0;
    while (at < end) {
      const next = this.#step(bytes, at, end);
      if (next === at) {
        if (end - at > LONGEST_LINE) throw new Error('a line without end');
        this.#kept = Buffer.from(bytes.subarray(at, end));
        return;
      }
      at = next;
    }
  }

  /** The connection was closed. Returns whether an answer ended well by it. */
  close(): boolean {
    if (this.#expecting !== 'close') return false;
    this.#finish();
    return true;
  }

  /** Returns how far it came; `at` where more bytes are needed. */
  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#expecting) {
      case 'head':
        return this.#head(bytes, at, end);
      case 'body':
      case 'chunk': {
        const stop = Math.min(end, at + this.#left);
        this.#left -= stop - at;
        this.#sink.onBody(bytes, at, stop);
        if (this.#left === 0) {
          if (this.#expecting === 'chunk') this.#expecting = 'chunk-end';
          else this.#finish();
        }
        return stop;
      }
      case 'close':
        this.#sink.onBody(bytes, at, end);
        return end;
      case 'chunk-end':
        if (end - at < 2) return at;
        if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw new Error('a chunk without its end');
        this.#expecting = 'chunk-size';
        return at + 2;
      case 'chunk-size':
        return this.#chunkSize(bytes, at, end);
      case 'trailer': {
        const stop = bytes.indexOf('\r\n', at);
        if (stop < 0 || stop + 2 > end) return at;
        if (stop === at) this.#finish();
        return stop + 2;
      }
    }
  }

  #head(bytes: Buffer, at: number, end: number): number {
    const stop = bytes.indexOf('\r\n\r\n', at);
    if (stop < 0 || stop + 4 > end) return at;
    const head = bytes.toString('latin1', at, stop);
    if (!head.startsWith('HTTP/1.1 ')) throw new Error('not an HTTP/1.1 answer');
    const status = Number(head.slice(9, 12));
    if (status >= 100 && status < 200) return stop + 4;
    this.#sink.onHead(status, head);
    const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (declared !== undefined) {
      this.#left = Number(declared);
      this.#expecting = 'body';
      if (this.#left === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#expecting = 'chunk-size';
    } else {
      this.#expecting = 'close';
    }
    return stop + 4;
  }

  #chunkSize(bytes: Buffer, at: number, end: number): number {
    let size = 0;
    let place = at;
    for (; place < end; place++) {
      const byte = bytes[place] ?? 0;
      const digit = byte >= 97 ? byte - 87 : byte >= 65 ? byte - 55 : byte - 48;
      if (digit < 0 || digit > 15) break;
      size = size * 16 + digit;
    }
    if (place + 2 > end) return at;
    if (place === at || bytes[place] !== 13 || bytes[place + 1] !== 10) throw new Error('not a chunk size');
    this.#left = size;
    this.#expecting = size === 0 ? 'trailer' : 'chunk';
    return place + 2;
  }

  #finish(): void {
    this.#expecting = 'head';
    this.#sink.onEnd();
  }
}
