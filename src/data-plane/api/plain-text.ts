// Whether an answer will be plain text, judged by the request: one choice, no tools, no grammar, nothing beside the text. Only then can
// another engine go on with a text that one began. What is not known to be harmless is taken for something else.

const HARMLESS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'prompt',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'stop',
  'user',
  'metadata',
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
  'repeat_penalty',
  'cache_prompt',
]);

/** True for a chat or completion request, parsed, whose answer is one plain text that a further message or a longer prompt can hold. */
export function isPlainText(call: object): boolean {
  for (const key of Object.keys(call)) if (!HARMLESS.has(key)) return false;
  if ('prompt' in call) return typeof call.prompt === 'string' && !('messages' in call);
  if (!('messages' in call) || !Array.isArray(call.messages)) return false;
  const last: unknown = call.messages.at(-1);
  // An assistant's message at the end is one that the client wants continued itself.
  return typeof last === 'object' && last !== null && 'role' in last && last.role !== 'assistant';
}
