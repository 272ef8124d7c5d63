import { FieldCursor } from './json-fields.ts';

// Changes to the fields of one JSON object, gathered while a cursor passes over it and applied in one copy. Every byte
// that no edit names stays. A dropped field takes one comma with it: the one before it, or the one after it where no
// field that stays precedes it.

/** Reusable: `clear`, then one of `keep`, `replace` and `drop` for each field in order, then `apply`. */
export class FieldEdits {
  #from: number[] = [];
  #to: number[] = [];
  #inserts: (Buffer | null)[] = [];
  #hasKept = false;
  #lastEnd = -1;
  #leadingCut = -1;

  clear(): void {
    if (this.#from.length > 0) {
      this.#from = [];
      this.#to = [];
      this.#inserts = [];
    }
    this.#hasKept = false;
    this.#lastEnd = -1;
    this.#leadingCut = -1;
  }

  get isEmpty(): boolean {
    return this.#from.length === 0 && this.#leadingCut < 0;
  }

  keep(field: FieldCursor): void {
    if (this.#leadingCut >= 0) {
      this.replaceSpan(this.#leadingCut, field.keyStart, null);
      this.#leadingCut = -1;
    }
    this.#hasKept = true;
    this.#lastEnd = field.valueEnd;
  }

  replace(field: FieldCursor, value: Buffer): void {
    this.keep(field);
    this.replaceSpan(field.valueStart, field.valueEnd, value);
  }

  drop(field: FieldCursor): void {
    if (this.#hasKept) this.replaceSpan(this.#lastEnd, field.valueEnd, null);
    else if (this.#leadingCut < 0) this.#leadingCut = field.keyStart;
    this.#lastEnd = field.valueEnd;
  }

  /** Replaces bytes inside the field kept last. Calls must come in ascending order. */
  replaceSpan(from: number, to: number, value: Buffer | null): void {
    this.#from.push(from);
    this.#to.push(to);
    this.#inserts.push(value);
  }

  /** The bytes of [start, end) with the edits made, as a new Buffer. */
  apply(bytes: Buffer, start: number, end: number): Buffer {
    if (this.#leadingCut >= 0) {
      this.replaceSpan(this.#leadingCut, this.#lastEnd, null);
      this.#leadingCut = -1;
    }
    let length = end - start;
    for (const [index, insert] of this.#inserts.entries()) {
      length += (insert?.length ?? 0) - ((this.#to[index] ?? 0) - (this.#from[index] ?? 0));
    }
    const result = Buffer.allocUnsafe(length);
    let read = start;
    let written = 0;
    for (const [index, insert] of this.#inserts.entries()) {
      written += bytes.copy(result, written, read, this.#from[index]);
      if (insert) written += insert.copy(result, written);
      read = this.#to[index] ?? read;
    }
    bytes.copy(result, written, read, end);
    return result;
  }
}

/** What is to become of every occurrence of a top-level key: another value (JSON text), or null to drop it with its comma. */
export interface FieldEdit {
  readonly key: string;
  readonly value: Buffer | null;
}

/**
 * The object in `bytes` with the edits made. The same Buffer where they change nothing, or where it is not an object.
 */
export function spliceFields(bytes: Buffer, edits: readonly FieldEdit[]): Buffer {
  const cursor = new FieldCursor();
  if (!cursor.open(bytes, 0, bytes.length) || !cursor.isObject) return bytes;
  const changes = new FieldEdits();
  while (cursor.next()) {
    const key = cursor.key();
    const edit = edits.find((candidate) => candidate.key === key);
    if (!edit || isSame(bytes, cursor, edit.value)) changes.keep(cursor);
    else if (edit.value) changes.replace(cursor, edit.value);
    else changes.drop(cursor);
  }
  return !cursor.complete || changes.isEmpty ? bytes : changes.apply(bytes, 0, bytes.length);
}

/**
 * A request body with `model` naming what the engine calls it, on every occurrence. Spellings in other case are replaced
 * too where they hold a string: Go's decoder (Ollama) takes `Model` for `model`, and what the router checked must be
 * what the engine reads. The same Buffer where nothing differs.
 */
export function withModel(body: Buffer, name: string): Buffer {
  const value = Buffer.from(JSON.stringify(name));
  const cursor = new FieldCursor();
  if (!cursor.open(body, 0, body.length) || !cursor.isObject) return body;
  const changes = new FieldEdits();
  while (cursor.next()) {
    const names = cursor.keyIs('model') || (body[cursor.valueStart] === 0x22 && cursor.key().toLowerCase() === 'model');
    if (names && !isSame(body, cursor, value)) changes.replace(cursor, value);
    else changes.keep(cursor);
  }
  return !cursor.complete || changes.isEmpty ? body : changes.apply(body, 0, body.length);
}

function isSame(bytes: Buffer, cursor: FieldCursor, value: Buffer | null): boolean {
  return value !== null && bytes.compare(value, 0, value.length, cursor.valueStart, cursor.valueEnd) === 0;
}
