import type { ErrorCode } from '../../fleet/errors.ts';
import type { Dialect } from '../../fleet/glossary.ts';

/** What the router needs to know of a request's body; all else passes through unread. */
export interface Call {
  /** As the client wrote it. */
  readonly model: string;
  readonly stream: boolean;
}

/** Reads model and stream from a body, or tells what is wrong with it. */
export function readCall(body: Buffer, dialect: Dialect): Call | ErrorCode {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return 'invalid_json';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'invalid_json';
  if (!Object.hasOwn(parsed, 'model')) return 'missing_model';
  const model: unknown = 'model' in parsed ? parsed.model : undefined;
  if (typeof model !== 'string' || model.trim() === '') return 'invalid_model';
  const asked: unknown = 'stream' in parsed ? parsed.stream : undefined;
  // Ollama streams unless told not to.
  const stream = dialect === 'ollama' ? asked !== false : asked === true;
  return { model, stream };
}
