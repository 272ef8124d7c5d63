import type { Usage } from '../../fleet/settlement.ts';
import type { AnswerObject } from './answer-object.ts';
import type { AnswerWatch } from './answer-watch.ts';

// Cuts a stream into frames whatever its chunks are, lets a reader judge each, and gives back what to forward in as few
// Buffers as possible: the chunk itself where nothing was held back or changed, else one joined Buffer. A frame that is cut
// by chunks is held as the pieces that came and joined once, so that a frame arriving byte by byte costs no more than its
// length.

export type Verdict = 'as-is' | 'drop' | Buffer;

/** What differs between the two ways of streaming. */
export interface FrameReader {
  readonly answer: AnswerObject;
  readonly failed: string | null;
  readonly frames: number;
  /** Index after the end of the frame that goes on at `from`, or -1. It remembers what it saw until that frame ends. */
  frameEnd(chunk: Buffer, from: number): number;
  /** Judges the frame in [start, end). */
  readFrame(bytes: Buffer, start: number, end: number): Verdict;
  /** Judges what was left unterminated when the stream ended; a Buffer is terminated. */
  readTail(bytes: Buffer): Buffer | null;
}

export class FrameWatch implements AnswerWatch {
  readonly #reader: FrameReader;
  readonly #maxFrameBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #tooLong = false;

  constructor(reader: FrameReader, maxFrameBytes: number) {
    this.#reader = reader;
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#tooLong || this.#reader.failed !== null) return null;
    let pieces: Buffer[] | null = null;
    let runStart = 0;
    let at = 0;
    while (at < chunk.length) {
      const end = this.#reader.frameEnd(chunk, at);
      if (this.#heldBytes + (end < 0 ? chunk.length : end) - at > this.#maxFrameBytes) {
        this.#tooLong = true;
        break;
      }
      if (end < 0) break;
      const joined = this.#heldBytes > 0 ? this.#takeHeld(chunk.subarray(at, end)) : null;
      const verdict = joined
        ? this.#reader.readFrame(joined, 0, joined.length)
        : this.#reader.readFrame(chunk, at, end);
      if (joined || verdict !== 'as-is') {
        pieces ??= [];
        if (runStart < at) pieces.push(chunk.subarray(runStart, at));
        runStart = end;
        const piece = verdict === 'as-is' ? joined : verdict;
        if (piece instanceof Buffer) pieces.push(piece);
      }
      at = end;
      if (this.#reader.failed !== null) break;
    }
    const isOver = this.#tooLong || this.#reader.failed !== null;
    if (isOver) this.#dropHeld();
    else if (at < chunk.length) this.#hold(chunk.subarray(at));
    return join(pieces, chunk, runStart, at);
  }

  finish(): Buffer | null {
    if (this.#heldBytes === 0 || this.#tooLong || this.#reader.failed !== null) return null;
    return this.#reader.readTail(this.#takeHeld(null));
  }

  get ended(): boolean {
    return this.#reader.answer.ended;
  }

  get isMarked(): boolean {
    return this.#reader.answer.marked;
  }

  get failed(): string | null {
    return this.#reader.failed;
  }

  get tooLong(): boolean {
    return this.#tooLong;
  }

  get frames(): number {
    return this.#reader.frames;
  }

  get sawContent(): boolean {
    return this.#reader.answer.tally.sawContent;
  }

  usage(): Usage | null {
    return this.#reader.answer.tally.usage();
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #takeHeld(rest: Buffer | null): Buffer {
    if (rest) this.#held.push(rest);
    const [only] = this.#held;
    const joined = only && this.#held.length === 1 ? only : Buffer.concat(this.#held);
    this.#dropHeld();
    return joined;
  }

  #dropHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}

/** The pieces and the unchanged run [runStart, runEnd) after them, as one Buffer, or null for nothing. */
function join(pieces: readonly Buffer[] | null, chunk: Buffer, runStart: number, runEnd: number): Buffer | null {
  if (runStart < runEnd) {
    const run = runEnd - runStart === chunk.length ? chunk : chunk.subarray(runStart, runEnd);
    return pieces === null || pieces.length === 0 ? run : Buffer.concat([...pieces, run]);
  }
  const only = pieces?.[0];
  if (!pieces || !only) return null;
  return pieces.length === 1 ? only : Buffer.concat(pieces);
}
