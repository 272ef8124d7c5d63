import type { Usage } from '../../fleet/settlement.ts';
import { AnswerObject } from './answer-object.ts';
import { type AnswerWatch, UNREADABLE } from './answer-watch.ts';
import { decodeString } from './json-fields.ts';

// The JSON body of an answer that is too large to be held whole (embeddings of a batch, images). It is forwarded as it comes,
// but each top-level field is held until its key is known, and the few fields that are rewritten or read until their value is
// complete; such a field is then judged by itself, as an object of one field. The length of the body may change, so its
// content-length must not be forwarded.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const READ: ReadonlySet<string> = new Set([
  'model',
  'system_fingerprint',
  'remote_host',
  'remote_model',
  'usage',
  'timings',
  'error',
  'prompt_eval_count',
  'eval_count',
]);
/** None of the fields that are read comes near it; a key or a name that long is garbage. */
const MAX_HELD_BYTES = 64 * 1024;
const OPENING = Buffer.from('{');
const CLOSING = Buffer.from('}');

type Place = 'before' | 'between' | 'key' | 'colon' | 'value' | 'after';

/** Watches a large body that is not streamed. `askedModel` is the name the client used. */
export function watchLongBody(askedModel: string): AnswerWatch {
  return new LongBody(askedModel);
}

class LongBody implements AnswerWatch {
  failed: string | null = null;
  tooLong = false;
  /** Chunks: every byte of such a body is progress. */
  frames = 0;
  readonly #answer: AnswerObject;
  #place: Place = 'before';
  // Of the value being passed over:
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Bytes go to `#held` and not to `#out`: the separator before a field, its key, and its value if it is read. */
  #isHolding = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #separatorBytes = 0;
  #out: Buffer[] = [];
  #hasKept = false;
  #hasDropped = false;

  constructor(askedModel: string) {
    this.#answer = new AnswerObject(askedModel);
  }

  get ended(): boolean {
    return this.#place === 'after';
  }

  /** A whole body has no marker in it: its framing tells its end. */
  get isMarked(): boolean {
    return false;
  }

  get sawContent(): boolean {
    return this.frames > 0;
  }

  usage(): Usage | null {
    return this.#answer.tally.usage();
  }

  push(chunk: Buffer): Buffer | null {
    if (this.tooLong || this.failed !== null) return null;
    this.frames += 1;
    let from = 0;
    let at = 0;
    while (at < chunk.length && this.failed === null) {
      const place = this.#place;
      const next = place === 'value' ? this.#passValue(chunk, at) : this.#step(chunk[at] ?? 0, at, chunk.length);
      // A negative answer: the place changed before the byte at `at`, which is now read again in the new place.
      const end = next < 0 ? at : next;
      if (this.#place !== place) {
        this.#route(chunk.subarray(from, end));
        from = end;
        this.#arrive(place);
      }
      at = end;
    }
    if (this.failed === null) this.#route(from === 0 ? chunk : chunk.subarray(from));
    if (this.#heldBytes > MAX_HELD_BYTES) this.tooLong = true;
    return this.#takeOut();
  }

  finish(): Buffer | null {
    if (this.tooLong || this.failed !== null) return null;
    // Left only where the object was torn; a client sees what there is.
    this.#release();
    return this.#takeOut();
  }

  /** Reads one byte outside values; the index of the next, or -1 where it belongs to the place entered. */
  #step(byte: number, at: number, end: number): number {
    switch (this.#place) {
      case 'before':
        if (byte === OPEN_BRACE) this.#place = 'between';
        else if (!isSpace(byte)) this.failed = UNREADABLE;
        return at + 1;
      case 'between':
        if (byte === CLOSE_BRACE) this.#place = 'after';
        else if (byte === QUOTE) {
          this.#place = 'key';
          return -1;
        } else if (byte !== COMMA && !isSpace(byte)) this.failed = UNREADABLE;
        return at + 1;
      case 'key':
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) {
          if (this.#isInString) this.#place = 'colon';
          this.#isInString = !this.#isInString;
        }
        return at + 1;
      case 'colon':
        if (byte === COLON || isSpace(byte)) return at + 1;
        this.#place = 'value';
        return -1;
      case 'after':
        if (!isSpace(byte)) this.failed = UNREADABLE;
        return at + 1;
      case 'value':
        return end;
    }
  }

  /** Index after the part of the value that lies in this chunk; the place has changed if it ended. */
  #passValue(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0;
      const isOutside = this.#depth === 0 && !this.#isInString;
      if (isOutside && (byte === COMMA || byte === CLOSE_BRACE || isSpace(byte))) {
        this.#place = 'between';
        return at === from ? -1 : at;
      }
      at += 1;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInString = false;
      } else if (byte === QUOTE) this.#isInString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth -= 1;
    }
    return at;
  }

  /** A place was left, with all its bytes routed: decide what becomes of what is held. */
  #arrive(left: Place): void {
    if (this.#place === 'key') this.#separatorBytes = this.#heldBytes;
    else if (this.#place === 'value') this.#decide();
    else if (this.#place === 'between') {
      if (left === 'value' && this.#isHolding) this.#judge();
      this.#isHolding = true;
    } else if (this.#place === 'after') this.#release();
  }

  /** The key is known: a field that is not read goes on its way. */
  #decide(): void {
    if (this.#heldBytes > MAX_HELD_BYTES) return;
    const held = Buffer.concat(this.#held);
    const keyEnd = held.lastIndexOf(QUOTE) + 1;
    if (READ.has(decodeString(held, this.#separatorBytes, keyEnd) ?? '')) return;
    this.#drop();
    this.#keep(held.subarray(0, this.#separatorBytes), held.subarray(this.#separatorBytes));
    this.#isHolding = false;
  }

  /** A field that is read is complete. */
  #judge(): void {
    const held = Buffer.concat(this.#held);
    this.#drop();
    const separator = held.subarray(0, this.#separatorBytes);
    const object = Buffer.concat([OPENING, held.subarray(this.#separatorBytes), CLOSING]);
    const answer = this.#answer;
    const isSound = answer.read(object, 0, object.length);
    if (isSound && answer.error !== null) this.failed = answer.error;
    else {
      const changed = isSound && !answer.edits.isEmpty ? answer.edits.apply(object, 0, object.length) : object;
      const field = changed.subarray(1, -1);
      if (field.length > 0) this.#keep(separator, field);
      else {
        if (!this.#hasKept && !this.#hasDropped) this.#out.push(separator);
        this.#hasDropped = true;
      }
    }
  }

  /** The separator goes with the field, but for the comma of dropped fields that had none before them. */
  #keep(separator: Buffer, field: Buffer): void {
    if (this.#hasKept || !this.#hasDropped) this.#out.push(separator);
    this.#hasKept = true;
    this.#out.push(field);
  }

  #route(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#isHolding) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
    } else this.#out.push(bytes);
  }

  #release(): void {
    this.#out.push(...this.#held);
    this.#drop();
    this.#isHolding = false;
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  #takeOut(): Buffer | null {
    const out = this.#out;
    this.#out = [];
    const [only] = out;
    if (!only) return null;
    return out.length === 1 ? only : Buffer.concat(out);
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
