import { streamRule } from '../chat/stream-rule.ts';
import { type Draft, drafted, type FieldRules, type Objections } from '../rules.ts';
import type { Json, Translator } from '../translation.ts';
import { ownName } from './settings.ts';
import { LoadTelling, OllamaTelling, type Shape } from './telling.ts';

// A call of Ollama's with nothing to answer has the model loaded, which its clients do before a person's first word. OpenAI's API has no
// word for that; engines that load on demand load for any call, so it becomes the shortest there is, of one token. To unload
// a model is nothing that these engines can be asked.

const TO = '/v1/chat/completions';

/** One of Ollama's endpoints, as far as it differs from the others that are told as chat. */
export interface Endpoint {
  readonly from: string;
  readonly rules: FieldRules;
  /** The call's messages as chat has them; null where there is nothing to answer. */
  readonly messagesOf: (asked: Json, objections: Objections) => readonly Json[] | null;
  readonly shape: Shape;
}

/** The endpoint told as chat. */
export function toldAsChat({ from, rules, messagesOf, shape }: Endpoint): Translator {
  return {
    from,
    to: TO,
    translate: (asked) => {
      const draft = draftedStream(asked, rules, from, TO);
      const { call, objections } = draft;
      const messages = messagesOf(asked, objections);
      if (messages === null && unloads(asked)) {
        objections.unsayable('keep_alive', 'without a prompt, 0 unloads the model, which they cannot be asked');
      }
      if (objections.first) return objections.first;
      const { model } = asked;
      const wanted = { model, shape, hidesThinking: asked['think'] === false };
      if (messages) return { call: { ...call, messages }, nameOf: ownName, answer: () => new OllamaTelling(wanted) };
      const shortest = draftedStream({ model, stream: asked['stream'] }, rules, from, TO);
      return {
        call: { ...shortest.call, messages: [{ role: 'user', content: '.' }], max_tokens: 1 },
        answer: () => new LoadTelling(wanted),
      };
    },
  };
}

/** The call by its rules. Ollama streams unless told not to, and tells the counts at the end unasked. */
export function draftedStream(asked: Json, rules: FieldRules, from: string, to: string): Draft {
  const draft = drafted(asked, rules, from, to);
  if (asked['stream'] !== false) streamRule(true, 'stream', draft);
  return draft;
}

/** True for a `keep_alive` that says: unload it now. */
function unloads({ keep_alive: keepAlive }: Json): boolean {
  return keepAlive === 0 || (typeof keepAlive === 'string' && /^0+(?:\.0+)?(?:ns|us|µs|ms|s|m|h)?$/.test(keepAlive));
}
