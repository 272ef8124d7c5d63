import type { Usage } from '../../fleet/settlement.ts';
import { AnswerObject } from './answer-object.ts';

export interface WholeAnswer {
  /** What to forward; the same Buffer where nothing had to change. */
  readonly body: Buffer;
  readonly usage: Usage | null;
  /** False where the body is no complete JSON object (audio, an image, a list, garbage): it is passed as it is. */
  readonly isObject: boolean;
  /** The message where the node reports an error under a 2xx status; not scrubbed. May be empty. */
  readonly failed: string | null;
}

/** Reads the body of an answer that is not streamed. `askedModel` is the name the client used. */
export function readWhole(body: Buffer, askedModel: string): WholeAnswer {
  const answer = new AnswerObject(askedModel);
  const isObject = answer.read(body, 0, body.length);
  const changed = isObject && !answer.edits.isEmpty ? answer.edits.apply(body, 0, body.length) : body;
  return { body: changed, usage: answer.tally.usage(), isObject, failed: isObject ? answer.error : null };
}
