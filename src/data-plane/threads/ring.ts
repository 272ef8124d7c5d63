// One direction of the talk between two threads: a ring of records in memory that both see. One thread writes, one reads. A record is
// a kind, some numbers and a text. Writing needs no system call; waking a thread that sleeps is what costs (20 µs and more on
// a virtual machine, most of it the kernel's), so that is apart: `claimWake` tells the writer whether the reader has to be
// told at all. A record is never split at the end of the ring: what is left there is skipped.

export type Take = (kind: number, numbers: readonly number[], text: string) => void;

const HEAD = 0;
const TAIL = 1;
const WAKE = 2;
const CONTROL_BYTES = 16;
const WORD_BYTES = 8;
/** Words of a record beside its numbers and text: its length, kind, count of numbers, bytes of text. */
const FRAME_WORDS = 4;
/** In place of a length: go on at the start of the ring. */
const SKIP = -1;

/** Longest text, in characters. */
export const MOST_TEXT = 4096;
const SIZE_WORDS = 16_384;
const MASK = SIZE_WORDS - 1;

/** Memory for one ring: 128 KB. */
export function ringMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES + SIZE_WORDS * WORD_BYTES);
}

export class Ring {
  readonly #control: Int32Array;
  readonly #words: Float64Array;
  readonly #bytes: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.#words = new Float64Array(memory, CONTROL_BYTES, SIZE_WORDS);
    this.#bytes = Buffer.from(memory, CONTROL_BYTES);
  }

  /** Adds a record; false where there is no room for it now. The text must be at most `MOST_TEXT` long. */
  write(kind: number, numbers: readonly number[], text: string): boolean {
    const textBytes = Buffer.byteLength(text);
    const length = FRAME_WORDS + numbers.length + Math.ceil(textBytes / WORD_BYTES);
    const tail = Atomics.load(this.#control, TAIL);
    const toEnd = SIZE_WORDS - (tail & MASK);
    const skipped = length > toEnd ? toEnd : 0;
    const used = (tail - Atomics.load(this.#control, HEAD)) | 0;
    if (used + skipped + length > SIZE_WORDS) return false;
    if (skipped > 0) this.#words[tail & MASK] = SKIP;
    let at = (tail + skipped) & MASK;
    this.#words[at++] = length;
    this.#words[at++] = kind;
    this.#words[at++] = numbers.length;
    this.#words[at++] = textBytes;
    for (const number of numbers) this.#words[at++] = number;
    if (textBytes > 0) this.#bytes.write(text, at * WORD_BYTES);
    Atomics.store(this.#control, TAIL, (tail + skipped + length) | 0);
    return true;
  }

  get hasUnread(): boolean {
    return Atomics.load(this.#control, HEAD) !== Atomics.load(this.#control, TAIL);
  }

  /** Takes every record there is, those written meanwhile too. */
  read(take: Take): void {
    let head = Atomics.load(this.#control, HEAD);
    while (head !== Atomics.load(this.#control, TAIL)) {
      let at = head & MASK;
      const length = this.#wordAt(at);
      if (length === SKIP) {
        head = (head + SIZE_WORDS - at) | 0;
        continue;
      }
      const kind = this.#wordAt(at + 1);
      const count = this.#wordAt(at + 2);
      const textBytes = this.#wordAt(at + 3);
      at += FRAME_WORDS;
      const numbers: number[] = [];
      for (let each = 0; each < count; each += 1) numbers.push(this.#wordAt(at++));
      const start = at * WORD_BYTES;
      const text = textBytes === 0 ? '' : this.#bytes.toString('utf8', start, start + textBytes);
      head = (head + length) | 0;
      // Given back before it is acted on: acting may read on in this ring.
      Atomics.store(this.#control, HEAD, head);
      take(kind, numbers, text);
      head = Atomics.load(this.#control, HEAD);
    }
    Atomics.store(this.#control, HEAD, head);
  }

  /** True once for each time that the reader has to be woken: it has not been since it last began to read. */
  claimWake(): boolean {
    return Atomics.exchange(this.#control, WAKE, 1) === 0;
  }

  /** The reader is awake and will read after this. */
  wakes(): void {
    Atomics.store(this.#control, WAKE, 0);
  }

  #wordAt(at: number): number {
    return this.#words[at] ?? 0;
  }
}
