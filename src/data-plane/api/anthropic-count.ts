// How many tokens a call of Anthropic's messages has, where none of the model's engines counts them. A guess by size, as a router that has
// no tokenizer can make it; clients ask in order to know whether a conversation still fits. It errs on the high side, since
// one that is cut too early costs less than one that is refused. Marked as a guess in the answer.

/** Characters per token of English text and of code, in the tokenizers of today's models; other scripts have fewer. */
const CHARACTERS = 3.5;
/** Outside ASCII a token is about a character. */
const OTHER = /[^\p{ASCII}]/gu;
/** Of an image of the size that clients shrink to. */
const IMAGE = 1600;
/** For the marks of a turn, a tool or a block. */
const MARKS = 4;

const WITHOUT_TEXT: ReadonlySet<string> = new Set(['type', 'role', 'cache_control', 'signature', 'media_type']);

/** Fields whose names are no part of what the model reads. */
const UNREAD_NAMES: ReadonlySet<string> = new Set(['text', 'content', 'source', 'data', 'thinking']);

/** The body of the answer for a call's `system`, `messages` and `tools`. */
export function guessedCount(call: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const tokens = tokensIn(call['system']) + tokensIn(call['messages']) + tokensIn(call['tools']);
  return { input_tokens: Math.ceil(tokens), estimated: true };
}

function tokensIn(value: unknown): number {
  if (typeof value === 'string') return tokensOf(value);
  if (typeof value === 'number' || typeof value === 'boolean') return 1;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + MARKS + tokensIn(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  if ('type' in value && value.type === 'image') return IMAGE;
  let sum = 0;
  for (const [name, inner] of Object.entries(value)) {
    if (!WITHOUT_TEXT.has(name)) sum += tokensIn(inner) + (UNREAD_NAMES.has(name) ? 0 : tokensOf(name));
  }
  return sum;
}

function tokensOf(text: string): number {
  const others = text.match(OTHER)?.length ?? 0;
  return others + (text.length - others) / CHARACTERS;
}
