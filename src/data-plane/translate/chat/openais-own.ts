import type { Json } from '../translation.ts';

// OpenAI itself has renamed the limit of an answer, and its newer models refuse the old name; many engines know only the old
// one. Translations write the old name, and it is changed where a call goes to OpenAI. What clients of chat write is theirs and
// is sent as it came.

/** A translated chat call as OpenAI's own servers take it. */
export function asOpenaiTakesIt(call: Json): Json {
  if (!('max_tokens' in call)) return call;
  const { max_tokens: limit, ...rest } = call;
  return { ...rest, max_completion_tokens: limit };
}
