import { readFields } from './fields.ts';
import { HeadBytes } from './head-bytes.ts';

// A chunked body (RFC 9112, 7.1), whatever reads it comes in. The payloads of all chunks of one read are moved together within the
// read's own buffer, so that they go on as one piece: engines send a token a chunk, and a busy socket delivers many in a read.
//
// Extensions are skipped and trailers dropped, both within limits; neither crosses. A line's end is CRLF and nothing else, a size
// is hexadecimal digits and nothing else: a lenient reader before or behind this one would see another body.

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
const DELETE = 0x7f;

const MOST_SIZE_DIGITS = 16;
const MOST_EXTENSION_BYTES = 4096;
const MOST_TRAILER_BYTES = 16 * 1024;

const AT_SIZE = 0;
const IN_EXTENSION = 1;
const AT_SIZE_LF = 2;
const IN_PAYLOAD = 3;
const AT_PAYLOAD_CR = 4;
const AT_PAYLOAD_LF = 5;
const IN_TRAILERS = 6;

export class ChunkedBody {
  /** Where the payload of the last read lies in its buffer. */
  payloadFrom = 0;
  payloadTo = 0;
  isOver = false;
  /** Why it is none, or null. */
  fault: string | null = null;
  readonly #trailers = new HeadBytes(MOST_TRAILER_BYTES, false);
  #state = AT_SIZE;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  /** Blanks after a size are allowed only before an extension's semicolon. */
  #owesSemicolon = false;

  /** For the next body. */
  reset(): void {
    this.isOver = false;
    this.#state = AT_SIZE;
    this.#beginSize();
    this.#trailers.reset();
  }

  /** Reads on, moving payloads within [from, to). Gives the index after the body's end, else `to`, or -1 where it is faulty. */
  read(bytes: Buffer, from: number, to: number): number {
    this.payloadFrom = from;
    this.payloadTo = from;
    let at = from;
    while (at < to) {
      if (this.#state === IN_PAYLOAD) at = this.#takePayload(bytes, at, to);
      else if (this.#state === IN_TRAILERS) {
        const end = this.#readTrailers(bytes, at, to);
        if (end !== null) return end;
        return to;
      } else {
        this.#step(bytes[at] ?? 0);
        at += 1;
      }
      if (this.fault !== null) return -1;
    }
    return to;
  }

  #takePayload(bytes: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.#size);
    if (this.payloadFrom === this.payloadTo) {
      this.payloadFrom = from;
      this.payloadTo = end;
    } else {
      bytes.copyWithin(this.payloadTo, from, end);
      this.payloadTo += end - from;
    }
    this.#size -= end - from;
    if (this.#size === 0) this.#state = AT_PAYLOAD_CR;
    return end;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case AT_SIZE:
        return this.#readSize(byte);
      case IN_EXTENSION:
        return this.#skipExtension(byte);
      case AT_SIZE_LF:
        if (byte !== LF) return this.#fail('a chunk size line that ends without LF');
        this.#state = this.#size === 0 ? IN_TRAILERS : IN_PAYLOAD;
        return;
      case AT_PAYLOAD_CR:
        if (byte !== CR) return this.#fail('a chunk longer than its size');
        this.#state = AT_PAYLOAD_LF;
        return;
      default:
        if (byte !== LF) return this.#fail('a chunk that ends without LF');
        this.#state = AT_SIZE;
        this.#beginSize();
    }
  }

  #beginSize(): void {
    this.#size = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#owesSemicolon = false;
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      if (this.#digits > MOST_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER) this.#fail('a chunk size too large');
    } else if (this.#digits === 0) this.#fail('a chunk without a size');
    else if (byte === CR) this.#state = AT_SIZE_LF;
    else if (byte === SEMICOLON) this.#state = IN_EXTENSION;
    else if (byte === SPACE || byte === TAB) {
      this.#owesSemicolon = true;
      this.#state = IN_EXTENSION;
    } else this.#fail('a chunk size that is no number');
  }

  #skipExtension(byte: number): void {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > MOST_EXTENSION_BYTES) return this.#fail('a chunk extension too long');
    if (this.#owesSemicolon && byte !== SPACE && byte !== TAB) {
      if (byte !== SEMICOLON) return this.#fail('a chunk size that is no number');
      this.#owesSemicolon = false;
    } else if (byte === CR) this.#state = AT_SIZE_LF;
    else if ((byte < SPACE && byte !== TAB) || byte === DELETE) this.#fail('a control character in a chunk extension');
  }

  /** The index after the last trailer, -1 where they are faulty, null where they go on. */
  #readTrailers(bytes: Buffer, from: number, to: number): number | null {
    const end = this.#trailers.read(bytes, from, to);
    if (this.#trailers.fault !== null) {
      this.#fail(this.#trailers.fault);
      return -1;
    }
    if (end < 0) return null;
    const fields = readFields(this.#trailers.text, 0);
    if (typeof fields === 'string') {
      this.#fail(fields);
      return -1;
    }
    this.isOver = true;
    return end;
  }

  #fail(fault: string): void {
    this.fault = fault;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
