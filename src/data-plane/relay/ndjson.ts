import { AnswerObject } from './answer-object.ts';
import { MAX_FRAME_BYTES, UNREADABLE } from './answer-watch.ts';
import type { AnswerWatch } from './answer-watch.ts';
import { FrameWatch } from './frames.ts';
import type { FrameReader, Verdict } from './frames.ts';
import { skipSpace } from './json-fields.ts';

const LF = 0x0a;
const OPEN_BRACE = 0x7b;

/** Watches an Ollama stream, one JSON object per line. `askedModel` is the name the client used. */
export function watchNdjson(askedModel: string, maxFrameBytes: number = MAX_FRAME_BYTES): AnswerWatch {
  return new FrameWatch(new LineReader(askedModel), maxFrameBytes);
}

class LineReader implements FrameReader {
  readonly answer: AnswerObject;
  failed: string | null = null;
  frames = 0;

  constructor(askedModel: string) {
    this.answer = new AnswerObject(askedModel);
  }

  frameEnd(chunk: Buffer, from: number): number {
    return chunk.indexOf(LF, from) + 1 || -1;
  }

  readFrame(bytes: Buffer, start: number, end: number): Verdict {
    if (skipSpace(bytes, start, end) === end) return 'as-is';
    const { answer } = this;
    if (answer.marked) return 'drop';
    this.frames += 1;
    // Generated text comes in objects; any other line is the node's own and may say where it is.
    if (!answer.read(bytes, start, end)) {
      if (bytes[skipSpace(bytes, start, end)] === OPEN_BRACE) this.failed = UNREADABLE;
      return 'drop';
    }
    if (answer.error !== null) {
      this.failed = answer.error;
      return 'drop';
    }
    return answer.edits.isEmpty ? 'as-is' : answer.edits.apply(bytes, start, end);
  }

  readTail(bytes: Buffer): Buffer | null {
    const { answer } = this;
    const wasMarked = answer.marked;
    if (wasMarked || !answer.read(bytes, 0, bytes.length)) return null;
    this.frames += 1;
    if (answer.error !== null) {
      this.failed = answer.error;
      return null;
    }
    const line = answer.edits.isEmpty ? bytes : answer.edits.apply(bytes, 0, bytes.length);
    return Buffer.concat([line, Buffer.from('\n')]);
  }
}
