import type { ResponseHeaders } from '../exchange.ts';
import { readAnswerHead } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';
import { HeadBytes } from './head-bytes.ts';

// One answer after the other from one connection. Interim answers (100, 103, asked for or not: RFC 9110, 15.2) are passed over.
// 101 is garbage: nobody asked to switch. What is delivered is the receiver's to keep where `isLent` is false; a lent buffer is used
// for the next read, so what it held is copied once, at its exact size, and no socket holds on to a whole read buffer.

const MOST_HEAD_BYTES = 64 * 1024;

/** Takes an answer's parts. `isOver` turns true when it wants no more, which may be within any of its calls. */
export interface AnswerSink {
  readonly isOver: boolean;
  onHead(status: number, headers: ResponseHeaders): void;
  onData(chunk: Buffer): void;
}

/** `more`: the answer goes on; `done`: it is complete; `garbage`: see `fault`; `left`: the sink wanted no more. */
export type Reading = 'more' | 'done' | 'garbage' | 'left';

type Phase = 'head' | 'length' | 'chunked' | 'until-close';

export class AnswerReader {
  /** Why the bytes are no answer. */
  fault = '';
  /** After `done`: whether the connection may be used again, and for how many ms the node keeps it idle. */
  keepsAlive = false;
  keepAliveMs = Infinity;
  readonly #head = new HeadBytes(MOST_HEAD_BYTES, true);
  #chunked: ChunkedBody | null = null;
  #phase: Phase = 'head';
  #isBodiless = false;
  #left = 0;

  /** Prepares for the next answer; `isBodiless`: to a HEAD request. */
  begin(isBodiless: boolean): void {
    this.#phase = 'head';
    this.#isBodiless = isBodiless;
    this.#head.reset();
  }

  /** Reads on in [0, to). Bytes beyond the answer's end end the connection with it. */
  read(bytes: Buffer, to: number, isLent: boolean, sink: AnswerSink): Reading {
    let from = 0;
    while (this.#phase === 'head') {
      const end = this.#head.read(bytes, from, to);
      if (this.#head.fault !== null) return this.#garbage(this.#head.fault);
      if (end < 0) return 'more';
      from = end;
      const reading = this.#endHead(sink);
      if (reading === 'done') return this.#done(from, to);
      if (reading !== 'more') return reading;
      if (from === to) return 'more';
    }
    if (this.#phase === 'chunked') return this.#readChunks(bytes, from, to, isLent, sink);
    if (this.#phase === 'until-close') {
      sink.onData(piece(bytes, from, to, isLent));
      return sink.isOver ? 'left' : 'more';
    }
    const end = Math.min(to, from + this.#left);
    this.#left -= end - from;
    sink.onData(piece(bytes, from, end, isLent));
    if (sink.isOver) return 'left';
    return this.#left === 0 ? this.#done(end, to) : 'more';
  }

  /** The node has closed its side: true where that completes the answer. */
  closes(): boolean {
    return this.#phase === 'until-close';
  }

  #endHead(sink: AnswerSink): Reading {
    const head = readAnswerHead(this.#head.text, this.#isBodiless);
    if (typeof head === 'string') return this.#garbage(head);
    if (head.status === 101) return this.#garbage('a switch of protocols that was not asked for');
    this.#head.restart();
    if (head.status < 200) return 'more';
    this.keepsAlive = head.keepsAlive;
    this.keepAliveMs = head.keepAliveMs;
    if (head.framing === 'chunked') {
      this.#phase = 'chunked';
      this.#chunked ??= new ChunkedBody();
      this.#chunked.reset();
    } else if (head.framing === 'until-close') this.#phase = 'until-close';
    else {
      this.#phase = 'length';
      this.#left = head.framing;
    }
    sink.onHead(head.status, head.headers);
    if (sink.isOver) return 'left';
    return head.framing === 0 ? 'done' : 'more';
  }

  #readChunks(bytes: Buffer, from: number, to: number, isLent: boolean, sink: AnswerSink): Reading {
    const chunked = this.#chunked;
    if (!chunked) return this.#garbage('a chunked body out of place');
    const end = chunked.read(bytes, from, to);
    // What came before a fault was well framed, but an answer that is judged garbage must not be half delivered first.
    if (chunked.fault !== null) return this.#garbage(chunked.fault);
    if (chunked.payloadTo > chunked.payloadFrom) {
      sink.onData(piece(bytes, chunked.payloadFrom, chunked.payloadTo, isLent));
      if (sink.isOver) return 'left';
    }
    return chunked.isOver ? this.#done(end, to) : 'more';
  }

  #done(end: number, to: number): Reading {
    // Nobody asked for what follows; whose answer it would be is the classic desync (RFC 9112, 9.2).
    if (end < to) this.keepsAlive = false;
    this.#phase = 'head';
    return 'done';
  }

  #garbage(fault: string): Reading {
    this.fault = fault;
    this.keepsAlive = false;
    return 'garbage';
  }
}

function piece(bytes: Buffer, from: number, to: number, isLent: boolean): Buffer {
  if (!isLent) return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}
