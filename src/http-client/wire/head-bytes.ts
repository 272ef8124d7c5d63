// Finds the end of a head (or of a trailer section) whatever reads it comes in, looking at every byte once. RFC 9112, 2.2 lets a
// recipient take a lone LF as a line's end, and 5.2 lets it unfold folded lines. Neither is done here: readers that differ in such
// things are how one answer becomes two. Nor may a control character stand anywhere (RFC 9110, 5.5).

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const DELETE = 0x7f;

// What of the empty line that ends a head has been seen.
const IN_LINE = 0;
const AFTER_CR = 1;
const AT_LINE_START = 2;
const AFTER_EMPTY_CR = 3;

const PROTOCOL = 'HTTP/1.';

export class HeadBytes {
  /** The lines, each with its CRLF, and the empty one; complete once `read` has found the end. */
  text = '';
  /** Why it is none, or null. */
  fault: string | null = null;
  readonly #mostBytes: number;
  readonly #isAnswer: boolean;
  #left: number;
  #state = AT_LINE_START;

  /** `isAnswer`: it opens with a status line. */
  constructor(mostBytes: number, isAnswer: boolean) {
    this.#mostBytes = mostBytes;
    this.#left = mostBytes;
    this.#isAnswer = isAnswer;
  }

  /** For the next message. */
  reset(): void {
    this.restart();
    this.#left = this.#mostBytes;
  }

  /** For the next head of the same message, within what the last one left of the limit. */
  restart(): void {
    this.text = '';
    this.#state = AT_LINE_START;
  }

  /** Index after its end, or -1 where it goes on or is faulty. */
  read(bytes: Buffer, from: number, to: number): number {
    const end = this.#findEnd(bytes, from, Math.min(to, from + this.#left));
    if (this.fault !== null) return -1;
    const read = (end < 0 ? to : end) - from;
    if (read > this.#left) {
      this.fault = `a head longer than ${this.#mostBytes} bytes`;
      return -1;
    }
    this.#left -= read;
    const before = this.text;
    this.text = before + bytes.toString('latin1', from, from + read);
    // Whoever speaks another protocol may never send an empty line: better told at once.
    if (end >= 0 || !this.#isAnswer || before.length >= PROTOCOL.length) return end;
    if (!PROTOCOL.startsWith(this.text.slice(0, PROTOCOL.length))) {
      this.fault = 'what came is no HTTP/1 answer';
    }
    return end;
  }

  #findEnd(bytes: Buffer, from: number, to: number): number {
    let state = this.#state;
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > SPACE && byte !== DELETE) {
        if (state === AFTER_CR || state === AFTER_EMPTY_CR) return this.#fail('a CR without its LF in a head');
        state = IN_LINE;
      } else if (byte === CR) {
        if (state === AFTER_CR || state === AFTER_EMPTY_CR) return this.#fail('a CR without its LF in a head');
        state = state === AT_LINE_START ? AFTER_EMPTY_CR : AFTER_CR;
      } else if (byte === LF) {
        if (state === AFTER_EMPTY_CR) return at + 1;
        if (state !== AFTER_CR) return this.#fail('a line of a head that ends without a CR');
        state = AT_LINE_START;
      } else if (byte === SPACE || byte === TAB) {
        if (state !== IN_LINE) return this.#fail('a folded line in a head');
      } else return this.#fail('a control character in a head');
    }
    this.#state = state;
    return -1;
  }

  #fail(fault: string): number {
    this.fault = fault;
    return -1;
  }
}
