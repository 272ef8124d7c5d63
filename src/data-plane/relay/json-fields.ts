// Reads and changes the fields of one JSON object without building it, because bodies may be 32 MB, frames come by the
// thousand a second, and every byte that need not change (number forms, unknown fields, white space) must stay as it is.
//
// It is exact about where fields begin and end for anything `JSON.parse` accepts. It is lenient about the rest: brackets
// inside a value are only counted, and numbers are judged by their characters. Whoever must refuse broken JSON parses
// it. Duplicate keys are all visited and all changed, since engines differ in which one they believe.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Strings shorter than this are read in JavaScript; for longer ones a native search pays for its call. */
const SHORT_STRING_BYTES = 64;
const NOTHING = Buffer.alloc(0);

/** Index of the first byte in [at, end) that is not JSON white space, or `end`. */
export function skipSpace(bytes: Buffer, at: number, end: number): number {
  let index = at;
  while (index < end) {
    const byte = bytes[index];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    index += 1;
  }
  return index;
}

/** Index after the string whose opening quote is at `at`, or -1. */
function stringEnd(bytes: Buffer, at: number, end: number): number {
  let index = at + 1;
  const soon = Math.min(end, index + SHORT_STRING_BYTES);
  while (index < soon) {
    const byte = bytes[index];
    if (byte === QUOTE) return index + 1;
    index += byte === BACKSLASH ? 2 : 1;
  }
  const unescaped = index;
  while (index < end) {
    const quote = bytes.indexOf(QUOTE, index);
    if (quote < 0 || quote >= end) return -1;
    let slash = quote;
    while (slash > unescaped && bytes[slash - 1] === BACKSLASH) slash -= 1;
    if ((quote - slash) % 2 === 0) return quote + 1;
    index = quote + 1;
  }
  return -1;
}

/** Index after the object or array that opens at `at`, or -1. Depth is counted, so nesting costs no stack. */
function containerEnd(bytes: Buffer, at: number, end: number): number {
  let depth = 0;
  let index = at;
  while (index < end) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      index = stringEnd(bytes, index, end);
      if (index < 0) return -1;
      continue;
    }
    index += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return -1;
}

/** The words that may stand for a value: JSON's, and those that Python writes for numbers that JSON has no word for. */
const WORDS = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'].map((word) => Buffer.from(word));

/** Index after a number or a word, or -1. */
function scalarEnd(bytes: Buffer, at: number, end: number): number {
  let index = at;
  while (index < end && isOfNumber(bytes[index] ?? 0)) index += 1;
  if (index > at && (index === end || !isLetter(bytes[index] ?? 0))) return index;
  for (const word of WORDS) {
    if (bytes[at] !== word[0] || at + word.length > end) continue;
    if (bytes.compare(word, 0, word.length, at, at + word.length) === 0) return at + word.length;
  }
  return -1;
}

/** Of what numbers are made of: digits, signs, a point and an exponent's letter. */
function isOfNumber(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2e || byte === 0x2b || byte === 0x65 || byte === 0x45
  );
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

function valueEndOf(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return -1;
  const byte = bytes[at];
  if (byte === QUOTE) return stringEnd(bytes, at, end);
  if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return containerEnd(bytes, at, end);
  return scalarEnd(bytes, at, end);
}

/**
 * Steps over the fields of one object, or the elements of one array, lying in a part of a Buffer. Reusable, and it
 * allocates nothing: `open` it, then call `next` until it is false; `complete` then says whether the closing bracket was
 * reached. Positions are indexes into the Buffer; `keyStart` is at the opening quote (-1 in arrays).
 */
export class FieldCursor {
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** True once the closing bracket was reached with nothing broken before it and only white space after it. */
  complete = false;
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;
  #close = 0;
  #isFirst = true;

  /** False where neither an object nor an array begins. */
  open(bytes: Buffer, start: number, end: number): boolean {
    const at = skipSpace(bytes, start, end);
    const byte = at < end ? bytes[at] : 0;
    this.complete = false;
    this.#bytes = bytes;
    this.#end = end;
    this.#at = end;
    if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) return false;
    this.#close = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
    this.#isFirst = true;
    this.#at = at + 1;
    return true;
  }

  get isObject(): boolean {
    return this.#close === CLOSE_BRACE;
  }

  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = skipSpace(bytes, this.#at, end);
    this.#at = end;
    if (at >= end) return false;
    if (bytes[at] === this.#close) {
      this.complete = skipSpace(bytes, at + 1, end) === end;
      return false;
    }
    if (!this.#isFirst) {
      if (bytes[at] !== COMMA) return false;
      at = skipSpace(bytes, at + 1, end);
    }
    this.#isFirst = false;
    if (this.#close === CLOSE_BRACE) {
      if (at >= end || bytes[at] !== QUOTE) return false;
      this.keyStart = at;
      this.keyEnd = stringEnd(bytes, at, end);
      if (this.keyEnd < 0) return false;
      at = skipSpace(bytes, this.keyEnd, end);
      if (at >= end || bytes[at] !== COLON) return false;
      at = skipSpace(bytes, at + 1, end);
    } else this.keyStart = -1;
    const valueEnd = valueEndOf(bytes, at, end);
    if (valueEnd < 0 || valueEnd > end) return false;
    this.valueStart = at;
    this.valueEnd = valueEnd;
    this.#at = valueEnd;
    return true;
  }

  /** The current key, escapes decoded. */
  key(): string {
    return decodeString(this.#bytes, this.keyStart, this.keyEnd) ?? '';
  }

  /** Whether the current key is `name` (ASCII), however it is escaped. */
  keyIs(name: string): boolean {
    const from = this.keyStart + 1;
    const length = this.keyEnd - this.keyStart - 2;
    if (length < name.length) return false;
    for (let index = 0; index < name.length; index += 1) {
      const byte = this.#bytes[from + index];
      if (byte === BACKSLASH) return this.key() === name;
      if (byte !== name.charCodeAt(index)) return false;
    }
    return length === name.length;
  }
}

/** The string literal in [start, end), quotes included, or null where it is not a valid one. */
export function decodeString(bytes: Buffer, start: number, end: number): string | null {
  if (start < 0 || bytes[start] !== QUOTE) return null;
  const literal = bytes.toString('utf8', start, end);
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/**
 * Visits the top-level fields of the object in [start, end) in order, duplicates included. False where that is no object
 * (the fields before the fault have been visited then). `keyStart` is the index of the key's opening quote.
 */
export function scanFields(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (key: string, valueStart: number, valueEnd: number, keyStart: number) => void,
): boolean {
  const cursor = new FieldCursor();
  if (!cursor.open(bytes, start, end) || !cursor.isObject) return false;
  while (cursor.next()) visit(cursor.key(), cursor.valueStart, cursor.valueEnd, cursor.keyStart);
  return cursor.complete;
}
