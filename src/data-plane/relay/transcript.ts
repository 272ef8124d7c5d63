// What a stream of plain text has said so far, so that another node can go on where one broke off. Kept as JSON writes it, and read only
// where it is needed, which is nearly never; a token costs the copy of a few bytes (strings would live in the young heap, and be moved
// with it). What cannot be continued by text alone (reasoning, tool calls, several choices) makes it void, and so does a text
// longer than anybody should have to say again.

const MOST_BYTES = 256 * 1024;
const FIRST_BYTES = 512;
/** Up to here a loop is faster than the call that copies. */
const FEW_BYTES = 32;
const NOTHING = Buffer.alloc(0);
const MOST_HEAD_BYTES = 4 * 1024;

export class Transcript {
  /** Deltas of text: about as many tokens. */
  deltas = 0;
  /** False once there was something that text alone does not say. */
  isSound = true;
  /** Said to be finished: there is nothing to go on with. */
  isFinished = false;
  /** The text with its escapes, in the first `#length` bytes. */
  #written = NOTHING;
  #length = 0;
  #head: Buffer | null = null;

  /** The stream's first object, in which its id stands. */
  begin(bytes: Buffer, start: number, end: number): void {
    if (!this.isSound || this.#head !== null || end - start > MOST_HEAD_BYTES) return;
    // Kept as long as the stream: not from the pool, nor as a part of what arrived with it.
    this.#head = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(this.#head, 0, start, end);
  }

  /** A piece of text, as it stands between its quotes in [start, end). */
  add(bytes: Buffer, start: number, end: number): void {
    if (!this.isSound) return;
    this.deltas += 1;
    const length = this.#length + end - start;
    if (length > MOST_BYTES) return this.spoil();
    if (length > this.#written.length) this.#grow(length);
    if (end - start > FEW_BYTES) bytes.copy(this.#written, this.#length, start, end);
    else {
      const written = this.#written;
      for (let from = start, to = this.#length; from < end; from += 1, to += 1) written[to] = bytes[from] ?? 0;
    }
    this.#length = length;
  }

  #grow(least: number): void {
    // Kept as long as the stream, so not from the pool, of which a few bytes would keep a whole slab.
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#written.length, least));
    this.#written.copy(larger, 0, 0, this.#length);
    this.#written = larger;
  }

  spoil(): void {
    this.isSound = false;
    this.#written = NOTHING;
    this.#length = 0;
    this.#head = null;
  }

  /** Nothing of it has reached the client, and another node begins anew. */
  reset(): void {
    this.deltas = 0;
    this.isSound = true;
    this.#length = 0;
    this.#head = null;
  }

  /** Null where an engine wrote what is no JSON string. */
  text(): string | null {
    try {
      const text: unknown = JSON.parse(`"${this.#written.toString('utf8', 0, this.#length)}"`);
      return typeof text === 'string' ? text : null;
    } catch {
      return null;
    }
  }

  /** The stream's first object; null where there was none to keep. */
  head(): Readonly<Record<string, unknown>> | null {
    if (this.#head === null) return null;
    const head: Readonly<Record<string, unknown>> = JSON.parse(this.#head.toString());
    return head;
  }
}
