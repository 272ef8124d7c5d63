import { AnswerObject } from './answer-object.ts';
import { errorMessageIn } from './error-message-in.ts';
import { MAX_FRAME_BYTES, UNREADABLE } from './answer-watch.ts';
import type { AnswerWatch } from './answer-watch.ts';
import { FrameWatch } from './frames.ts';
import type { FrameReader, Verdict } from './frames.ts';
import { skipSpace } from './json-fields.ts';
import { type LastFrame, LikeLast } from './like-last.ts';
import type { Transcript } from './transcript.ts';

// Server-sent events (WHATWG HTML, section 9.2), read only as far as a router must: where an event ends, which lines are
// data, which event is an error. Lines may end in LF, CRLF or CR, mixed. An event is judged by its data's fields, not by
// its name, but for `event: error`.
//
// Only what a client of these APIs understands crosses: data that is a JSON object or the end marker, and well-formed event
// names. What generated text there is, is inside the objects; ids, unknown fields, a comment's words and the lines of a
// traceback are the node's own and may say where it is. An empty comment stays in place of each event made of such
// lines, so that what kept a connection alive still does.
//
// Once the end marker has passed, further data is dropped: an engine may send an error and then its marker, but nothing
// that follows a marker can reach a client in a form that it would understand.

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\u{feff}');
const DATA = Buffer.from('data');
const EVENT = Buffer.from('event');
const ERROR = Buffer.from('error');
const DONE = Buffer.from('[DONE]');
const EMPTY_COMMENT = Buffer.from(':\n\n');
const OPEN_BRACE = 0x7b;
const EVENT_NAME = /^[a-z][a-z0-9_.-]{0,80}$/i;

/** Watches an OpenAI or Anthropic stream. `askedModel` is the name the client used. */
export function watchSse(
  askedModel: string,
  maxFrameBytes: number = MAX_FRAME_BYTES,
  likeLast: LastFrame = new LikeLast(),
  transcript: Transcript | null = null,
): AnswerWatch {
  return new FrameWatch(new EventReader(askedModel, likeLast, transcript), maxFrameBytes);
}

class EventReader implements FrameReader {
  readonly answer: AnswerObject;
  failed: string | null = null;
  frames = 0;
  readonly #likeLast: LastFrame;
  readonly #transcript: Transcript | null;
  #isFirst = true;
  #isLineEmpty = true;
  #isAfterCr = false;
  // Of the event being read:
  #dataStart = -1;
  #dataEnd = -1;
  #dataLines = 0;
  #isError = false;
  /** It has lines that do not cross. */
  #hasForeign = false;
  /** Its data is a whole JSON object or the end marker. */
  #isWhole = false;

  constructor(askedModel: string, likeLast: LastFrame, transcript: Transcript | null) {
    this.answer = new AnswerObject(askedModel);
    this.#likeLast = likeLast;
    this.#transcript = transcript;
  }

  frameEnd(chunk: Buffer, from: number): number {
    let isLineEmpty = this.#isLineEmpty;
    let isAfterCr = this.#isAfterCr;
    for (let index = from; index < chunk.length; index += 1) {
      const byte = chunk[index];
      if (byte === LF) {
        if (isAfterCr) isAfterCr = false;
        else if (isLineEmpty) return this.#endAt(index + 1);
        else isLineEmpty = true;
      } else if (byte === CR) {
        // A LF after it counts as an event of its own, empty, which passes: it may come in the next chunk.
        if (isLineEmpty) return this.#endAt(index + 1);
        isLineEmpty = true;
        isAfterCr = true;
      } else {
        isLineEmpty = false;
        isAfterCr = false;
      }
    }
    this.#isLineEmpty = isLineEmpty;
    this.#isAfterCr = isAfterCr;
    return -1;
  }

  #endAt(index: number): number {
    this.#isLineEmpty = true;
    this.#isAfterCr = false;
    return index;
  }

  readFrame(bytes: Buffer, start: number, end: number): Verdict {
    if (!this.answer.marked && this.#likeLast.matches(bytes, start, end)) {
      this.frames += 1;
      this.answer.tally.countDelta();
      this.#transcript?.add(bytes, start + this.#likeLast.textOffset, this.#likeLast.matchedEnd);
      return 'as-is';
    }
    const deltasBefore = this.answer.tally.deltas;
    this.#readLines(bytes, start, end);
    if (this.#dataLines === 0) return this.#hasForeign ? EMPTY_COMMENT : 'as-is';
    if (this.answer.marked) return 'drop';
    if (this.#dataLines > 1 || this.#hasForeign) return this.#rebuild(bytes, start, end);
    if (!this.#readPayload(bytes, this.#dataStart, this.#dataEnd)) return 'drop';
    if (!this.#isWhole) return EMPTY_COMMENT;
    if (!this.answer.edits.isEmpty) return this.answer.edits.apply(bytes, start, end);
    const { tally, textStart, textEnd } = this.answer;
    if (tally.deltas === deltasBefore + 1 && textStart >= 0 && this.frames > 1) {
      this.#likeLast.remember(bytes, start, end, textStart, textEnd);
    }
    return 'as-is';
  }

  readTail(bytes: Buffer): Buffer | null {
    // After a CR, one LF would only complete that line's end.
    const missing = this.#isLineEmpty && !this.#isAfterCr ? '\n' : '\n\n';
    const verdict = this.readFrame(bytes, 0, bytes.length);
    if (verdict === 'drop' || this.#dataLines === 0 || !this.#isWhole) return null;
    const frame = verdict === 'as-is' ? bytes : verdict;
    return Buffer.concat([frame, Buffer.from(missing)]);
  }

  /** False where the payload reports an error and must not be forwarded. */
  #readPayload(bytes: Buffer, start: number, end: number): boolean {
    const answer = this.answer;
    const deltasBefore = answer.tally.deltas;
    const isObject = answer.read(bytes, start, end);
    if (this.#transcript && isObject) this.#write(this.#transcript, deltasBefore, bytes, start, end);
    const isDone = !isObject && isDoneMarker(bytes, start, end);
    if (!answer.isPing) this.frames += 1;
    this.#isWhole = isObject || isDone;
    if (isDone) answer.marked = true;
    if (isObject && answer.error !== null) this.failed = answer.error;
    else if (!this.#isWhole && bytes[skipSpace(bytes, start, end)] === OPEN_BRACE && !this.#isError)
      this.failed = UNREADABLE;
    else if (this.#isError) this.failed = errorMessageIn(bytes, start, end) ?? bytes.toString('utf8', start, end);
    return this.failed === null;
  }

  #write(transcript: Transcript, deltasBefore: number, bytes: Buffer, start: number, end: number): void {
    const { tally, textStart, textEnd, isContent, ended } = this.answer;
    transcript.begin(bytes, start, end);
    transcript.isFinished = ended;
    if (tally.deltas === deltasBefore) return;
    if (tally.deltas === deltasBefore + 1 && textStart >= 0 && isContent) transcript.add(bytes, textStart, textEnd);
    else transcript.spoil();
  }

  /** The event written anew from what crosses. Data over several lines is one text, joined by line feeds; rare enough to be copied. */
  #rebuild(bytes: Buffer, start: number, end: number): Verdict {
    const names: string[] = [];
    const data: string[] = [];
    for (const line of bytes
      .toString('utf8', start, end)
      .replace(/^\uFEFF/, '')
      .split(/\r\n|\n|\r/)) {
      if (/^(?:data|error)(?::|$)/.test(line))
        data.push(line.slice(line.indexOf(':') + 1 || line.length).replace(/^ /, ''));
      else if (isEventLine(line)) names.push(line);
    }
    const payload = Buffer.from(data.join('\n'));
    if (!this.#readPayload(payload, 0, payload.length)) return 'drop';
    if (!this.#isWhole) return EMPTY_COMMENT;
    const changed = this.answer.edits.apply(payload, 0, payload.length).toString().split('\n');
    return Buffer.from([...names, ...changed.map((line) => `data: ${line}`), '', ''].join('\n'));
  }

  #readLines(bytes: Buffer, start: number, end: number): void {
    this.#dataLines = 0;
    this.#isError = false;
    this.#hasForeign = false;
    let at = start;
    if (this.#isFirst) {
      this.#isFirst = false;
      if (holds(bytes, at, end, BYTE_ORDER_MARK)) at += BYTE_ORDER_MARK.length;
    }
    while (at < end) {
      let lineEnd = at;
      while (lineEnd < end && bytes[lineEnd] !== LF && bytes[lineEnd] !== CR) lineEnd += 1;
      if (lineEnd > at) this.#readLine(bytes, at, lineEnd);
      at = lineEnd + 1;
    }
  }

  #readLine(bytes: Buffer, start: number, end: number): void {
    if (isField(bytes, start, end, DATA)) {
      this.#dataLines += 1;
      this.#dataStart = valueStart(bytes, start + DATA.length, end);
      this.#dataEnd = end;
    } else if (isField(bytes, start, end, EVENT)) {
      const value = valueStart(bytes, start + EVENT.length, end);
      if (end - value === ERROR.length && holds(bytes, value, end, ERROR)) this.#isError = true;
      else if (!EVENT_NAME.test(bytes.toString('latin1', value, end))) this.#hasForeign = true;
    } else if (isField(bytes, start, end, ERROR)) {
      // Old llama.cpp servers put the error's JSON under a field of that name.
      this.#isError = true;
      this.#dataLines += 1;
      this.#dataStart = valueStart(bytes, start + ERROR.length, end);
      this.#dataEnd = end;
    } else if (end - start > 1 || bytes[start] !== 0x3a) this.#hasForeign = true;
  }
}

function isEventLine(line: string): boolean {
  return line.startsWith('event:') && EVENT_NAME.test(line.slice(6).replace(/^ /, ''));
}

function holds(bytes: Buffer, at: number, end: number, text: Buffer): boolean {
  if (end - at < text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text[index]) return false;
  return true;
}

function isField(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  const after = start + name.length;
  return holds(bytes, start, end, name) && (after === end || bytes[after] === 0x3a);
}

/** Where a line's value begins: after the colon and one space. */
function valueStart(bytes: Buffer, nameEnd: number, end: number): number {
  const at = Math.min(nameEnd + 1, end);
  return at < end && bytes[at] === 0x20 ? at + 1 : at;
}

function isDoneMarker(bytes: Buffer, start: number, end: number): boolean {
  const at = skipSpace(bytes, start, end);
  return holds(bytes, at, end, DONE) && skipSpace(bytes, at + DONE.length, end) === end;
}
