import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { Pacer } from './pacer.ts';
import { eventText, lastEventText, MICROS_WIDTH, microsNow, NUMBER_WIDTH, streamHead, writeDigits } from './texts.ts';

// The node's streams. All have the same gap and are spread evenly over it, each on a schedule of its own that a late turn does not move; so
// whose turn is next is a queue.

export type Serving =
  | { readonly kind: 'answer'; readonly afterMs: number }
  | { readonly kind: 'stream'; readonly gapMs: number; readonly streams: number }
  /** Takes the request and never answers. */
  | { readonly kind: 'hold' };

interface Stream {
  readonly socket: Socket;
  readonly event: Buffer;
  sent: number;
  dueAt: number;
}

const KEEP_PASSED = 4096;
const head = Buffer.from(streamHead);
const { bytes: eventBytes, digitsAt } = eventText();
const last = lastEventText();

export class StubStreams {
  #queue: Stream[] = [];
  #first = 0;
  #gapMs = 0;
  #begun = 0;
  #isEnding = false;
  readonly #pacer = new Pacer(
    () => this.#turn(),
    () => this.open === 0,
  );
  /** The largest delay of a turn behind its schedule since it was last set, ms. */
  worstLateMs = 0;

  get open(): number {
    return this.#queue.length - this.#first;
  }

  begin(socket: Socket, gapMs: number, streams: number): void {
    this.#gapMs = gapMs;
    if (this.open === 0) this.#isEnding = false;
    socket.write(head);
    const now = performance.now();
    const phase = (this.#begun * gapMs) / streams;
    this.#begun += 1;
    const dueAt = phase + Math.ceil((now - phase) / gapMs) * gapMs;
    let place = this.#queue.length;
    while (place > this.#first && (this.#queue[place - 1]?.dueAt ?? 0) > dueAt) place -= 1;
    this.#queue.splice(place, 0, { socket, event: Buffer.from(eventBytes), sent: 0, dueAt });
    this.#pacer.wake();
  }

  /** Every stream ends at its next turn. */
  endAll(): void {
    this.#isEnding = true;
  }

  #turn(): boolean {
    const now = performance.now();
    const stream = this.#queue[this.#first];
    if (!stream || stream.dueAt > now) return false;
    this.#first += 1;
    this.worstLateMs = Math.max(this.worstLateMs, now - stream.dueAt);
    if (!stream.socket.destroyed) {
      this.#write(stream);
      stream.dueAt += this.#gapMs;
      if (!this.#isEnding) this.#queue.push(stream);
    }
    if (this.#first > KEEP_PASSED || this.open === 0) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }

  #write(stream: Stream): void {
    const { socket } = stream;
    // Bytes that still wait for the socket must not be overwritten.
    let bytes = socket.writableLength > 0 ? Buffer.from(eventBytes) : stream.event;
    let at = digitsAt;
    if (this.#isEnding) {
      bytes = Buffer.from(last.bytes);
      at = last.digitsAt;
    }
    writeDigits(bytes, at, NUMBER_WIDTH, stream.sent);
    writeDigits(bytes, at + NUMBER_WIDTH + 1, MICROS_WIDTH, microsNow());
    stream.sent += 1;
    socket.write(bytes);
  }
}
