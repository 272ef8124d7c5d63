import type { ErrorCode } from '../../fleet/errors.ts';
import type { Call } from './read-call.ts';

// Reads `model` and `stream` from a multipart body (RFC 7578) as it comes, without taking it apart: only the parts' heads are looked at,
// and the body goes on byte for byte. What was checked must be what the engine reads, and parsers of forms differ in odd cases, so
// odd forms are refused rather than guessed at: a part without exactly one plain `name`, a second `model`, bytes before the first
// boundary. What follows the last boundary is nobody's (RFC 2046, 5.1.1) and passes unread.

const DASHES = '--';
const BOUNDARY = /^multipart\/form-data\s*;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+,./:=?-]{1,70}))\s*$/i;
const DISPOSITION =
  /^content-disposition: ?form-data; name="([^"\\\r\n]*)"(; filename="(?:[^"\\\r\n]|\\.)*")?(; filename\*=[\w'%!#$&+.^`|~-]*)?$/i;
const MOST_HEAD_BYTES = 4096;
/** Engines' names of models are no longer. */
const MOST_FIELD_BYTES = 1024;
/** How much may follow the model before the first file, other fields, and still be read for what they say. */
const MOST_FIELDS_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** Where the form names its model, to put the engine's own name there. */
export interface ModelPlace {
  readonly start: number;
  readonly end: number;
}

export interface FormCall extends Call {
  readonly place: ModelPlace;
}

interface Part {
  readonly name: string;
  readonly isFile: boolean;
  /** Of its value, in the form. */
  readonly start: number;
}

type Phase = 'opening' | 'between' | 'head' | 'value' | 'over';

export class FormScan {
  readonly #first: Buffer;
  readonly #next: Buffer;
  #phase: Phase = 'opening';
  /** What came and is not judged yet, and where in the form it begins. In a value it begins with the line end before that. */
  #rest: Buffer = NOTHING;
  #at = 0;
  #part: Part = { name: '', isFile: false, start: 0 };
  /** The value of a field that is looked at, with the line end before it. */
  #value: Buffer = NOTHING;
  #model = '';
  #place: ModelPlace | null = null;
  #stream = false;
  #fault: ErrorCode | null = null;

  private constructor(boundary: string) {
    this.#first = Buffer.from(DASHES + boundary);
    this.#next = Buffer.from(`\r\n${DASHES}${boundary}`);
  }

  /** Reads forms of this content type; null where it does not say plainly how they are divided. */
  static of(contentType: string): FormScan | null {
    const named = BOUNDARY.exec(contentType.trim());
    const boundary = named?.[1] ?? named?.[2];
    return boundary === undefined ? null : new FormScan(boundary);
  }

  /** All that decides where the form goes has been read: its model, and the fields before the next file. */
  get isPlaceable(): boolean {
    if (this.#place === null || this.#fault !== null) return false;
    if (this.#phase === 'over' || (this.#phase === 'value' && this.#part.isFile)) return true;
    return this.#at - this.#place.end > MOST_FIELDS_BYTES;
  }

  /** Reads on; tells what is wrong with what has come so far. */
  push(bytes: Buffer): ErrorCode | null {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#fault === null && this.#step());
    return this.#fault;
  }

  /** Nothing follows; tells what is wrong with the whole. */
  end(): ErrorCode | null {
    if (this.#fault === null && this.#phase !== 'over') this.#fault = 'invalid_form';
    return this.#fault ?? (this.#place === null ? 'missing_model' : null);
  }

  /** What is asked for, as far as it was read; null without a model. */
  get call(): FormCall | null {
    if (this.#place === null) return null;
    return { model: this.#model, stream: this.#stream, namesOneModel: true, place: this.#place };
  }

  /** True where it came further and there may be more to read. */
  #step(): boolean {
    switch (this.#phase) {
      case 'opening':
        return this.#open();
      case 'between':
        return this.#divide();
      case 'head':
        return this.#readHead();
      case 'value':
        return this.#readValue();
      case 'over':
        this.#take(this.#rest.length);
        return false;
    }
  }

  #open(): boolean {
    const first = this.#first;
    const come = Math.min(first.length, this.#rest.length);
    if (!this.#rest.subarray(0, come).equals(first.subarray(0, come))) return this.#refuse('invalid_form');
    if (come < first.length) return false;
    this.#take(come);
    this.#phase = 'between';
    return true;
  }

  #divide(): boolean {
    if (this.#rest.length < 2) return false;
    const mark = this.#rest.toString('latin1', 0, 2);
    if (mark !== '\r\n' && mark !== DASHES) return this.#refuse('invalid_form');
    this.#phase = mark === DASHES ? 'over' : 'head';
    return true;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end > MOST_HEAD_BYTES || (end < 0 && this.#rest.length > MOST_HEAD_BYTES + 4))
      return this.#refuse('invalid_form');
    if (end < 0) return false;
    const disposition = dispositionOf(this.#rest.toString('latin1', 2, end));
    if (disposition === null) return this.#refuse('invalid_form');
    // An empty part's boundary begins with the line end that ends its head.
    this.#take(end + 2);
    this.#part = { ...disposition, start: this.#at + 2 };
    if (this.#part.name === 'model' && this.#place !== null) return this.#refuse('invalid_model');
    this.#value = NOTHING;
    this.#phase = 'value';
    return true;
  }

  #readValue(): boolean {
    const end = this.#rest.indexOf(this.#next);
    const certain = end < 0 ? this.#rest.length - this.#next.length + 1 : end;
    const { name, start } = this.#part;
    if (certain > 0 && (name === 'model' || name === 'stream') && this.#value.length <= MOST_FIELD_BYTES + 2) {
      this.#value = Buffer.concat([this.#value, this.#rest.subarray(0, Math.min(certain, MOST_FIELD_BYTES + 3))]);
    }
    if (name === 'model' && this.#value.length > MOST_FIELD_BYTES + 2) return this.#refuse('invalid_model');
    if (certain > 0) this.#take(certain);
    if (end < 0) return false;
    const value = this.#value.toString('utf8', 2);
    if (name === 'model') {
      if (value.trim() === '') return this.#refuse('invalid_model');
      this.#model = value;
      this.#place = { start, end: this.#at };
    } else if (name === 'stream') this.#stream = value === 'true';
    this.#take(this.#next.length);
    this.#phase = 'between';
    return true;
  }

  #take(bytes: number): void {
    this.#at += bytes;
    this.#rest = this.#rest.subarray(bytes);
  }

  #refuse(fault: ErrorCode): false {
    this.#fault = fault;
    return false;
  }
}

/** What the part is; null where its head is not a plain one. */
function dispositionOf(head: string): { readonly name: string; readonly isFile: boolean } | null {
  const lines = head.split('\r\n').filter((line) => /^content-disposition\b/i.test(line));
  const [line = ''] = lines;
  const found = lines.length === 1 ? DISPOSITION.exec(line) : null;
  if (found?.[1] === undefined) return null;
  return { name: found[1], isFile: found[2] !== undefined || found[3] !== undefined };
}
