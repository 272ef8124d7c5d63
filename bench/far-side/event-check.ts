import { Buffer } from 'node:buffer';
import { MARK, MICROS_WIDTH, NUMBER_WIDTH, readDigits } from './texts.ts';

// Checks one stream as its bytes come: every event once and in order, the last one marked as such, the end marker after it. It looks for the
// marks alone, so that a router that writes the JSON anew passes, and one that loses, doubles or reorders an event does not.

const FIELD_BYTES = MARK.length + NUMBER_WIDTH + 1 + MICROS_WIDTH + 1;
const DOLLAR = 36;
const HASH = 35;
const LINE_FEED = 10;
const LONGEST_MARKER = 64;
const nothing = Buffer.alloc(0);

export class EventCheck {
  readonly #onEvent: (sentMicros: number) => void;
  #kept: Buffer = nothing;
  #next = 0;
  #hasLast = false;
  #isDone = false;
  #wrong: string | null = null;

  constructor(onEvent: (sentMicros: number) => void) {
    this.#onEvent = onEvent;
  }

  push(received: Buffer, from: number, to: number): void {
    let bytes = received.subarray(from, to);
    if (this.#kept.length > 0) bytes = Buffer.concat([this.#kept, bytes]);
    let at = 0;
    for (;;) {
      const mark = bytes.indexOf(MARK, at);
      if (mark < 0 || mark + FIELD_BYTES > bytes.length) {
        // What may be the beginning of a mark is looked at again with what follows it; no mark begins in a finished line.
        const isWhole = mark < 0 && bytes[bytes.length - 1] === LINE_FEED;
        const keepFrom = isWhole ? bytes.length : mark < 0 ? Math.max(at, bytes.length - LONGEST_MARKER) : mark;
        if (this.#hasLast && bytes.includes('data: [DONE]', at)) this.#isDone = true;
        this.#kept = bytes.length > keepFrom ? Buffer.from(bytes.subarray(keepFrom)) : nothing;
        return;
      }
      this.#event(bytes, mark + MARK.length);
      at = mark + FIELD_BYTES;
    }
  }

  /** What is wrong with the stream now that it has ended, or null. */
  verdict(): string | null {
    if (this.#wrong !== null) return this.#wrong;
    if (!this.#hasLast) return 'a stream without its last event';
    return this.#isDone ? null : 'a stream without its end marker';
  }

  #event(bytes: Buffer, at: number): void {
    const number = readDigits(bytes, at, NUMBER_WIDTH);
    const end = bytes[at + NUMBER_WIDTH + 1 + MICROS_WIDTH];
    if (number !== this.#next) this.#wrong ??= number < this.#next ? 'an event twice' : 'an event missing';
    else if (this.#hasLast) this.#wrong ??= 'an event after the last';
    if (end === DOLLAR) this.#hasLast = true;
    else if (end !== HASH) this.#wrong ??= 'a changed event';
    this.#next = number + 1;
    this.#onEvent(readDigits(bytes, at + NUMBER_WIDTH + 1, MICROS_WIDTH));
  }
}
