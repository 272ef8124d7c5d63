import { errorMessageIn } from './error-message-in.ts';
import { FieldEdits } from './field-edits.ts';
import { FieldCursor, decodeString } from './json-fields.ts';
import { UsageTally, readCount } from './usage.ts';

// Reads the JSON objects of one answer (a whole body, an event's data, a line) in a single pass each, noting what must
// change and what the engine says of the answer. All dialects are read by their fields' names at once, because their names
// do not clash and a router that trusts the path alone would miss what a gateway in front of an engine adds.
//
// Changed are only: a top-level string `model` (and `message.model`, `response.model`, where Anthropic's and OpenAI's typed
// events carry it), which may be a file path of the node; `system_fingerprint`, which tells nodes apart; and Ollama's
// `remote_host` and `remote_model`, which tell where it has a model run. It does not look into generated text, nor into fields
// that no engine is known to put a name in.

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const QUOTE = 0x22;
const LETTER_N = 0x6e;
const LETTER_F = 0x66;
const LETTER_T = 0x74;
const END_TYPES: ReadonlySet<string> = new Set(['message_stop', 'response.completed', 'response.incomplete']);

// Reading an object and applying its edits is one synchronous step, so all answers of a thread use the same cursors: a thousand open
// streams would otherwise each keep their own.
const edits = new FieldEdits();
const cursors = {
  top: new FieldCursor(),
  inner: new FieldCursor(),
  list: new FieldCursor(),
  choice: new FieldCursor(),
  delta: new FieldCursor(),
};

/** The name as JSON text. Kept as long as the stream, so not from Buffer's pool, of which a few bytes would keep a whole slab. */
function jsonBytes(name: string): Buffer {
  const text = JSON.stringify(name);
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** The last name that was asked for, since it is mostly asked for again. */
const lastAsked = { name: '', bytes: jsonBytes('') };

export class AnswerObject {
  readonly tally = new UsageTally();
  /** Of the last object that was read by any answer of this thread: to be applied before another one is read. */
  readonly edits = edits;
  /** An end marker was read. */
  marked = false;
  /** The message of the error that the last object read was, else null. */
  error: string | null = null;
  /** Where the last delta's text lies in the last object read, between its quotes; -1 where there was none. */
  textStart = -1;
  textEnd = -1;
  /** That text is the answer itself: no reasoning, no refusal, no part of a tool call. */
  isContent = false;
  /** The last object read was an event that only keeps the connection open. */
  isPing = false;
  readonly #model: Buffer;
  /** Bit sets by choice index; from 30 on they share one bit. */
  #choicesSeen = 0;
  #choicesFinished = 0;

  /** `askedModel` is the name the client used. */
  constructor(askedModel: string) {
    if (lastAsked.name !== askedModel) Object.assign(lastAsked, { name: askedModel, bytes: jsonBytes(askedModel) });
    this.#model = lastAsked.bytes;
  }

  get ended(): boolean {
    return this.marked || (this.#choicesSeen !== 0 && this.#choicesSeen === this.#choicesFinished);
  }

  /**
   * Reads the object in [start, end); `edits` then holds what to change. False, with no edits, where that is no JSON object.
   */
  read(bytes: Buffer, start: number, end: number): boolean {
    const { top } = cursors;
    edits.clear();
    this.error = null;
    this.isPing = false;
    this.textStart = -1;
    if (!top.open(bytes, start, end) || !top.isObject) return false;
    let type = '';
    let plainMessage: string | null = null;
    let hasError = false;
    let isDone = false;
    let isAnswer = false;
    let hasDetail = false;
    const finishedBefore = this.#choicesFinished;
    while (top.next()) {
      if (top.keyIs('system_fingerprint') || top.keyIs('remote_host') || top.keyIs('remote_model')) {
        edits.drop(top);
        continue;
      }
      edits.keep(top);
      const first = bytes[top.valueStart];
      if (top.keyIs('model')) this.#readModel(bytes, top);
      else if (top.keyIs('choices')) {
        isAnswer = true;
        hasError = this.#readChoices(bytes) || hasError;
      } else if (top.keyIs('usage')) this.tally.readUsage(bytes, top.valueStart, top.valueEnd, false);
      else if (top.keyIs('timings')) this.tally.readTimings(bytes, top.valueStart, top.valueEnd);
      else if (top.keyIs('delta')) {
        if (first === OPEN_BRACE ? this.#hasText(bytes, top) : this.#isText(bytes, top)) this.tally.countDelta();
      } else if (top.keyIs('response') || top.keyIs('message')) {
        if (first === OPEN_BRACE) hasError = this.#readInner(bytes) || hasError;
        else if (top.keyIs('message')) plainMessage = decodeString(bytes, top.valueStart, top.valueEnd);
        else if (this.#isText(bytes, top)) this.tally.countDelta();
      } else if (top.keyIs('thinking')) {
        if (this.#isText(bytes, top)) this.tally.countDelta();
      } else if (top.keyIs('done')) {
        isDone = first === LETTER_T;
      } else if (top.keyIs('prompt_eval_count')) {
        this.tally.tellPrompt(readCount(bytes, top.valueStart, top.valueEnd));
      } else if (top.keyIs('eval_count')) {
        this.tally.tellCompletion(readCount(bytes, top.valueStart, top.valueEnd));
      } else if (top.keyIs('error')) hasError = hasError || (first !== LETTER_N && first !== LETTER_F);
      else if (top.keyIs('type')) type = shortWord(bytes, top);
      else if (top.keyIs('detail')) hasDetail = true;
      else if (top.keyIs('object')) hasError = hasError || shortWord(bytes, top) === 'error';
    }
    if (!top.complete) {
      // What a torn object says of the end is not believed.
      this.#choicesFinished = finishedBefore;
      edits.clear();
      return false;
    }
    this.isPing = type === 'ping';
    // FastAPI's form, which has nothing of an answer beside it.
    hasError ||= hasDetail && !isAnswer && type === '';
    if (hasError || type === 'error' || type === 'response.failed') {
      this.error = errorMessageIn(bytes, start, end) ?? plainMessage ?? '';
    } else if (isDone || END_TYPES.has(type)) this.marked = true;
    return true;
  }

  #readModel(bytes: Buffer, cursor: FieldCursor): void {
    const { valueStart, valueEnd } = cursor;
    const first = bytes[valueStart];
    if (first !== QUOTE && first !== OPEN_BRACE && first !== OPEN_BRACKET) return;
    if (bytes.compare(this.#model, 0, this.#model.length, valueStart, valueEnd) === 0) return;
    edits.replaceSpan(valueStart, valueEnd, this.#model);
  }

  /** Anthropic's or Ollama's `message`, OpenAI's `response`. True where it carries an error. */
  #readInner(bytes: Buffer): boolean {
    const { inner } = cursors;
    let hasText = false;
    let hasError = false;
    inner.open(bytes, cursors.top.valueStart, cursors.top.valueEnd);
    while (inner.next()) {
      if (inner.keyIs('model')) this.#readModel(bytes, inner);
      else if (inner.keyIs('usage')) {
        this.tally.readUsage(bytes, inner.valueStart, inner.valueEnd, cursors.top.keyIs('message'));
      } else if (inner.keyIs('error')) hasError = bytes[inner.valueStart] === OPEN_BRACE;
      else if (inner.keyIs('content') || inner.keyIs('thinking')) hasText = hasText || this.#isText(bytes, inner);
      else if (inner.keyIs('tool_calls')) hasText = hasText || this.#isFilledList(bytes, inner);
    }
    if (hasText) this.tally.countDelta();
    return hasError;
  }

  /** True where a choice carries an error. */
  #readChoices(bytes: Buffer): boolean {
    const { list } = cursors;
    let hasError = false;
    if (!list.open(bytes, cursors.top.valueStart, cursors.top.valueEnd) || list.isObject) return false;
    while (list.next()) {
      const { choice } = cursors;
      if (!choice.open(bytes, list.valueStart, list.valueEnd) || !choice.isObject) continue;
      let index = 0;
      let isFinished = false;
      let hasText = false;
      while (choice.next()) {
        if (choice.keyIs('delta')) hasText = this.#hasText(bytes, choice);
        else if (choice.keyIs('text')) hasText = this.#isChoiceText(bytes, choice);
        else if (choice.keyIs('index')) index = readCount(bytes, choice.valueStart, choice.valueEnd) ?? 0;
        else if (choice.keyIs('finish_reason')) isFinished = this.#isText(bytes, choice);
        else if (choice.keyIs('error')) hasError = hasError || bytes[choice.valueStart] === OPEN_BRACE;
      }
      const bit = 1 << Math.min(index, 30);
      this.#choicesSeen |= bit;
      if (isFinished && !hasError) this.#choicesFinished |= bit;
      if (hasText) this.tally.countDelta();
    }
    return hasError;
  }

  /** Whether a delta carries anything generated: any non-empty string but the role, or a filled `tool_calls`. */
  #hasText(bytes: Buffer, holder: FieldCursor): boolean {
    const { delta } = cursors;
    if (!delta.open(bytes, holder.valueStart, holder.valueEnd) || !delta.isObject) return false;
    while (delta.next()) {
      const isCall = delta.keyIs('tool_calls');
      if (!(isCall ? this.#isFilledList(bytes, delta) : this.#isGenerated(bytes, delta))) continue;
      this.textStart = isCall ? -1 : delta.valueStart + 1;
      this.textEnd = delta.valueEnd - 1;
      this.isContent = delta.keyIs('content');
      return true;
    }
    return false;
  }

  /** A completion's text, which lies in the choice itself. */
  #isChoiceText(bytes: Buffer, choice: FieldCursor): boolean {
    if (!this.#isText(bytes, choice)) return false;
    this.textStart = choice.valueStart + 1;
    this.textEnd = choice.valueEnd - 1;
    this.isContent = true;
    return true;
  }

  #isGenerated(bytes: Buffer, field: FieldCursor): boolean {
    if (!this.#isText(bytes, field)) return false;
    return (
      field.keyIs('content') ||
      field.keyIs('reasoning_content') ||
      field.keyIs('reasoning') ||
      field.keyIs('text') ||
      field.keyIs('thinking') ||
      field.keyIs('partial_json') ||
      field.keyIs('refusal')
    );
  }

  #isText(bytes: Buffer, field: FieldCursor): boolean {
    return bytes[field.valueStart] === QUOTE && field.valueEnd - field.valueStart > 2;
  }

  #isFilledList(bytes: Buffer, field: FieldCursor): boolean {
    return bytes[field.valueStart] === OPEN_BRACKET && field.valueEnd - field.valueStart > 2;
  }
}

/** A type's name; longer strings are none that matter here. */
function shortWord(bytes: Buffer, field: FieldCursor): string {
  if (field.valueEnd - field.valueStart > 24) return '';
  return decodeString(bytes, field.valueStart, field.valueEnd) ?? '';
}
