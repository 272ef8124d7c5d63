import { Buffer } from 'node:buffer';
import { MARK, NUMBER_WIDTH, readDigits } from './texts.ts';

// Reads the requests that a router sends to the node of a measurement: one at a time on a connection, by length or in chunks.

export interface RequestSink {
  /** A request whose body carries a number. */
  readonly onInference: (number: number) => void;
  /** Any other: lists, health. */
  readonly onAside: (path: string) => void;
}

const nothing = Buffer.alloc(0);
const END_OF_CHUNKS = '\r\n0\r\n\r\n';

export class RequestReader {
  readonly #sink: RequestSink;
  #kept: Buffer = nothing;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /** Throws where the bytes are not HTTP. */
  push(received: Buffer): void {
    let bytes = this.#kept.length > 0 ? Buffer.concat([this.#kept, received]) : received;
    while (bytes.length > 0) {
      const end = this.#one(bytes);
      if (end === null) break;
      bytes = bytes.subarray(end);
    }
    this.#kept = bytes.length === 0 ? nothing : Buffer.from(bytes);
  }

  /** Where the first request ends, or null where more bytes are needed. */
  #one(bytes: Buffer): number | null {
    const headEnd = bytes.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const head = bytes.toString('latin1', 0, headEnd);
    const bodyAt = headEnd + 4;
    const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    let end = bodyAt;
    if (declared !== undefined) end = bodyAt + Number(declared);
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      // A number may be split by a chunk's frame only in bodies longer than these.
      const stop = bytes.indexOf(END_OF_CHUNKS, headEnd);
      if (stop < 0) return null;
      end = stop + END_OF_CHUNKS.length;
    }
    if (end > bytes.length) return null;
    const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'));
    const mark = head.startsWith('POST') ? bytes.indexOf(MARK, bodyAt) : -1;
    if (mark < 0 || mark > end) this.#sink.onAside(path);
    else this.#sink.onInference(readDigits(bytes, mark + MARK.length, NUMBER_WIDTH));
    return end;
  }
}
