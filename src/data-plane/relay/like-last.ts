// Most frames of a stream are the last one with another piece of text in it. Reading the text's few bytes and comparing the rest
// with the last frame, natively, says all that reading the whole frame would: the same fields, the same model, no error, no end.
// Engines that put something new into every frame are soon left alone.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MOST_MISSES = 8;
const NOTHING = Buffer.alloc(0);

export type LastFrame = Pick<LikeLast, 'matches' | 'remember' | 'textOffset' | 'matchedEnd'>;

export class LikeLast {
  #last: Buffer = NOTHING;
  /** The text's first byte in `#last`, and the quote after its last. */
  #textStart = 0;
  #textEnd = 0;
  #misses = 0;
  /** Where the text of the last frame that matched ends. */
  matchedEnd = 0;

  /** True where the frame in [start, end) is the remembered one but for its text, which is not empty and has no line end. */
  matches(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#last;
    const textStart = start + this.#textStart;
    const after = last.length - this.#textEnd;
    if (last.length === 0 || end - textStart <= after) return false;
    if (bytes.compare(last, 0, this.#textStart, start, textStart) !== 0) return false;
    let at = textStart;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE || byte < 0x20) break;
      if (byte !== BACKSLASH) continue;
      at += 1;
      if ((bytes[at] ?? 0) < 0x20) return false;
    }
    if (at === textStart || end - at !== after) return false;
    if (bytes.compare(last, this.#textEnd, last.length, at, end) !== 0) return false;
    this.#misses = 0;
    this.matchedEnd = at;
    return true;
  }

  /** Where the text of a frame that matched starts in it. */
  get textOffset(): number {
    return this.#textStart;
  }

  /** A frame that passed as it was, with one text, at [textStart, textEnd). */
  remember(bytes: Buffer, start: number, end: number, textStart: number, textEnd: number): void {
    this.#misses += 1;
    if (this.#misses > MOST_MISSES) {
      this.#last = NOTHING;
      return;
    }
    // Not from the pool: kept as long as the stream, a few bytes would keep the pool's whole slab with them.
    const last = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(last, 0, start, end);
    this.#last = last;
    this.#textStart = textStart - start;
    this.#textEnd = textEnd - start;
  }
}
