import type { AnswerWatch } from './answer-watch.ts';

// For answers that are no JSON: audio, images, subtitles. The bytes pass as they come and nothing is read in them, so that only the
// body's framing tells its end. A page of HTML is no such answer: it is a proxy's, and is judged as the garbage it is.

const PASSING =
  /^\s*(?:audio|image|video)\/|^\s*(?:application\/octet-stream|application\/x-subrip|text\/(?:plain|vtt))\b/;

/** True for a content type, in lower case, that a client may be handed unread. */
export function isPassing(contentType: string): boolean {
  return PASSING.test(contentType);
}

/** Passes everything. `isFramed`: the end is told by length or chunks, not by the closing of the socket alone. */
export function watchRaw(isFramed: boolean): AnswerWatch {
  return new RawWatch(isFramed);
}

class RawWatch implements AnswerWatch {
  readonly isMarked = false;
  readonly failed = null;
  readonly tooLong = false;
  readonly sawContent = true;
  frames = 0;
  ended = false;
  readonly #isFramed: boolean;

  constructor(isFramed: boolean) {
    this.#isFramed = isFramed;
  }

  push(chunk: Buffer): Buffer {
    this.frames += 1;
    return chunk;
  }

  finish(): null {
    this.ended = this.#isFramed;
    return null;
  }

  usage(): null {
    return null;
  }
}
