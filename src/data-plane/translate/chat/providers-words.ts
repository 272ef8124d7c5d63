import type { ProviderName } from '../../../fleet/glossary.ts';
import type { Json } from '../translation.ts';

// What providers do not take as engines do. OpenAI has renamed the limit of an answer, and its newer models refuse the old name; many
// engines know only the old one. Neither OpenAI nor Google knows the words for a model's template, which here say whether to
// think, and both refuse a call for a word they do not know: it is left out, since their models settle that by themselves or by
// `reasoning_effort`. What clients of chat write is theirs and is sent as it came.

/** A translated call as the provider's own servers take it. */
export function asProviderTakesIt(call: Json, provider: ProviderName): Json {
  if (provider === 'anthropic') return call;
  const { chat_template_kwargs: _template, ...told } = call;
  if (provider === 'google' || !('max_tokens' in told)) return told;
  const { max_tokens: limit, ...rest } = told;
  return { ...rest, max_completion_tokens: limit };
}
