import type { ErrorCode } from '../../fleet/errors.ts';
import type { Dialect } from '../../fleet/glossary.ts';
import { isPlainText } from './plain-text.ts';

/** What the router needs to know of a request's body; all else passes through unread. */
export interface Call {
  /** As the client wrote it. */
  readonly model: string;
  readonly stream: boolean;
  /** The longest answer that the client allows; null or absent where it does not say. */
  readonly maxTokens?: number | null;
  /** One plain text is asked for, which another engine could go on with. Absent where not. */
  readonly isPlainText?: boolean;
  /** True where no engine could read another model from the body than `model`: the field is there once, in one spelling. */
  readonly namesOneModel: boolean;
}

/** Reads model and stream from a body, or tells what is wrong with it. */
export function readCall(body: Buffer, dialect: Dialect): Call | ErrorCode {
  const text = body.toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
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
  return {
    model,
    stream,
    maxTokens: maxTokensOf(parsed),
    isPlainText: stream && dialect === 'openai' && isPlainText(parsed),
    namesOneModel: namesOneModel(text, parsed),
  };
}

/** As OpenAI's chat, completions and responses, Anthropic and Ollama write it. */
function maxTokensOf(call: object): number | null {
  const written =
    field(call, 'max_completion_tokens') ??
    field(call, 'max_tokens') ??
    field(call, 'max_output_tokens') ??
    field(field(call, 'options'), 'num_predict');
  return typeof written === 'number' && Number.isInteger(written) && written > 0 ? written : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Searched for without the quote before it, and escapes without their first letters: those are met so often in texts that it costs ten times as much. */
const KEY_END = 'model"';
const ESCAPED_LETTER = '006';

/**
 * Certain where true; false may only mean that the word occurs elsewhere in the body too. Parsing shows spellings in other case as keys
 * of their own and hides only a repetition: of the word itself, or of one with its letters written as escapes, which all
 * begin with `\u006`.
 */
function namesOneModel(text: string, parsed: object): boolean {
  if (text.indexOf(KEY_END, text.indexOf(KEY_END) + 1) >= 0 || text.includes(ESCAPED_LETTER)) return false;
  for (const key of Object.keys(parsed)) {
    if (key.length === 5 && key !== 'model' && key.toLowerCase() === 'model') return false;
  }
  return true;
}
