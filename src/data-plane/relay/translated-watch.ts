import type { DialectForm } from '../api/dialect.ts';
import type { Usage } from '../../fleet/settlement.ts';
import type { AnswerTranslation, Json } from '../translate/translation.ts';
import type { AnswerWatch } from './answer-watch.ts';

// An answer told in another dialect than the node's. It stands behind the watch that reads the node's stream, so what reaches it are
// whole frames of the node's dialect with nothing in them that must not cross; errors, limits, progress and usage stay that watch's.
// The client's stream is closed with its own last events where the node's said that it ended, and never where it broke.

const LINE_END = /\r\n|\n|\r/;
const END_MARKER = '[DONE]';

/** One answer's translation and the dialect its client is told it in. */
export interface Telling {
  readonly answer: AnswerTranslation;
  readonly form: Pick<DialectForm, 'streamContentType' | 'streamObject' | 'streamEnd'>;
}

/** A whole answer of a node in the client's dialect; null where it is none. */
export function tellWhole(body: Buffer, { answer }: Telling): Buffer | null {
  const object = parse(body.toString());
  const told = object === null ? null : answer.whole(object);
  return told === null ? null : Buffer.from(JSON.stringify(told));
}

/** Wraps the watch of a node's stream. */
export function watchTranslated(node: AnswerWatch, telling: Telling): AnswerWatch {
  return new TranslatedWatch(node, telling);
}

class TranslatedWatch implements AnswerWatch {
  readonly #node: AnswerWatch;
  readonly #telling: Telling;
  #isClosed = false;

  constructor(node: AnswerWatch, telling: Telling) {
    this.#node = node;
    this.#telling = telling;
  }

  push(chunk: Buffer): Buffer | null {
    const frames = this.#node.push(chunk);
    const told = frames ? this.#tell(frames) : '';
    return bytesOf(this.isMarked ? told + this.#close() : told);
  }

  finish(): Buffer | null {
    const frames = this.#node.finish();
    const told = frames ? this.#tell(frames) : '';
    const isWhole = this.failed === null && !this.tooLong && this.ended;
    return bytesOf(isWhole ? told + this.#close() : told);
  }

  get ended(): boolean {
    return this.#node.ended;
  }

  get isMarked(): boolean {
    return this.#node.isMarked;
  }

  get failed(): string | null {
    return this.#node.failed;
  }

  get tooLong(): boolean {
    return this.#node.tooLong;
  }

  get frames(): number {
    return this.#node.frames;
  }

  get sawContent(): boolean {
    return this.#node.sawContent;
  }

  usage(): Usage | null {
    return this.#node.usage();
  }

  #tell(frames: Buffer): string {
    let told = '';
    for (const event of objectsIn(frames.toString())) told += this.#told(this.#telling.answer.event(event));
    return told;
  }

  #close(): string {
    if (this.#isClosed) return '';
    this.#isClosed = true;
    const { answer, form } = this.#telling;
    return this.#told(answer.end(this.usage())) + form.streamEnd;
  }

  #told(objects: readonly Json[]): string {
    let told = '';
    for (const object of objects) told += this.#telling.form.streamObject(object);
    return told;
  }
}

/** The objects of whole server-sent events, or of whole lines. */
function* objectsIn(frames: string): Generator<Json> {
  let data: string[] = [];
  for (const line of frames.split(LINE_END)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line === '' && data.length > 0) {
      const object = parse(data.join('\n'));
      data = [];
      if (object) yield object;
    } else if (line.startsWith('{')) {
      const object = parse(line);
      if (object) yield object;
    }
  }
}

function parse(text: string): Json | null {
  if (text === END_MARKER) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : null;
  } catch {
    return null;
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bytesOf(text: string): Buffer | null {
  return text === '' ? null : Buffer.from(text);
}
