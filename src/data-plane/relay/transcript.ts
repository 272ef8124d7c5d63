// What a stream of plain text has said so far, so that another node can go on where one broke off. Kept as JSON writes it, and read only
// where it is needed, which is nearly never; a token costs a few bytes and one concatenation. What cannot be continued by text alone
// (reasoning, tool calls, several choices) makes it void, and so does a text longer than anybody should have to say again.

const MOST_CHARACTERS = 256 * 1024;
const MOST_HEAD_BYTES = 4 * 1024;

export class Transcript {
  /** Deltas of text: about as many tokens. */
  deltas = 0;
  /** False once there was something that text alone does not say. */
  isSound = true;
  /** Said to be finished: there is nothing to go on with. */
  isFinished = false;
  #escaped = '';
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
    this.#escaped += bytes.toString('utf8', start, end);
    if (this.#escaped.length > MOST_CHARACTERS) this.spoil();
  }

  spoil(): void {
    this.isSound = false;
    this.#escaped = '';
    this.#head = null;
  }

  /** Nothing of it has reached the client, and another node begins anew. */
  reset(): void {
    this.deltas = 0;
    this.isSound = true;
    this.#escaped = '';
    this.#head = null;
  }

  /** Null where an engine wrote what is no JSON string. */
  text(): string | null {
    try {
      const text: unknown = JSON.parse(`"${this.#escaped}"`);
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
