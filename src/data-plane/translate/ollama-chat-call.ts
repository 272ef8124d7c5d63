import { loadedAnswer, ollamaAnswer, type Shape } from './ollama-answer.ts';
import { type Faults, isUnset, refuseOthers, textOf } from './ollama-fields.ts';
import {
  formatField,
  leftOut,
  logprobFields,
  optionFields,
  ownName,
  streamFields,
  thinkFields,
  unloads,
} from './ollama-options.ts';
import type { Json, Translation, Untranslatable } from './translation.ts';

// A call of Ollama's with nothing to answer has the model loaded, which its clients do before a person's first word. OpenAI's API has no
// word for that; engines that load on demand load for any call, so it becomes the shortest there is, of one token. To unload
// a model is nothing that these engines can be asked.

const beyondPrompt: readonly string[] = [
  'model',
  'format',
  'options',
  'stream',
  'think',
  'logprobs',
  'top_logprobs',
  ...leftOut,
];

/** The names of an endpoint's fields, of which `own` are its alone. */
export function fieldsOf(...own: readonly string[]): ReadonlySet<string> {
  return new Set([...beyondPrompt, ...own]);
}

/** The call as a chat. `said` are its messages and what else its endpoint alone has; null where there is nothing to answer. */
export function chatCall(
  call: Json,
  said: Json | null,
  shape: Shape,
  faults: Faults,
  known: ReadonlySet<string>,
): Translation | Untranslatable {
  refuseOthers(call, known, faults);
  const model = textOf(call['model']);
  const chat: Json = {
    model,
    ...said,
    ...optionFields(call, faults),
    ...formatField(call, faults),
    ...thinkFields(call, faults),
    ...logprobFields(call),
    ...streamFields(call),
  };
  if (said === null && unloads(call)) {
    const message =
      'keep_alive of 0 without a prompt unloads the model, which its nodes cannot be asked. Leave it out.';
    faults.push({ field: 'keep_alive', message });
  }
  const [fault] = faults;
  if (fault) return fault;
  if (said !== null) return { call: chat, nameOf: ownName, answer: () => ollamaAnswer(model, shape) };
  return {
    call: { model, messages: [{ role: 'user', content: '.' }], max_tokens: 1, ...streamFields(call) },
    answer: () => loadedAnswer(model, shape),
  };
}

/** The list in a field that must hold one; null where it is unset, or with a fault where it is something else. */
export function listField(call: Json, name: string, faults: Faults): readonly unknown[] | null {
  const value = call[name];
  if (isUnset(value)) return null;
  if (Array.isArray(value)) return value;
  faults.push({ field: name, message: `${name} must be a list.` });
  return null;
}
