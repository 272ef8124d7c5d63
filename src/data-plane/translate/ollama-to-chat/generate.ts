import { emptyOr, type FieldRules, ignored, isUnset, optionalText, refused } from '../rules.ts';
import type { Json, Translation, Translator, Untranslatable } from '../translation.ts';
import { draftedStream, type Endpoint, toldAsChat } from './call.ts';
import { contentWith } from './images.ts';
import { settings } from './settings.ts';
import { OllamaTelling } from './telling.ts';

// A prompt is put into the model's template, as chat does it; a raw one is not, as completions do it. What becomes of each field:
// docs/dialects.md.

const endpoint: Endpoint = {
  from: '/api/generate',
  rules: {
    ...settings,
    prompt: ignored, // read below, with the next two
    system: ignored,
    images: ignored,
    raw: ignored,
    template: refused('they have the template that they were started with'),
    context: refused("its numbers are another engine's tokens; send the history as messages to /api/chat"),
    suffix: refused('a chat cannot be told how its answer goes on'),
  },
  messagesOf: (asked, objections) => {
    const { images } = asked;
    const system = optionalText(asked['system'], 'system', objections);
    const prompt = optionalText(asked['prompt'], 'prompt', objections);
    if (prompt === '' && isUnset(images)) return null;
    return [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: contentWith(prompt, images, 'images', objections) },
    ];
  },
  shape: ({ content, thinking }) => ({ response: content, ...(thinking !== '' && { thinking }) }),
};

const onlyText = refused('a raw prompt is taken for text alone');

/** OpenAI's completions have neither formats nor images, and other logprobs. */
const rawRules: FieldRules = {
  ...settings,
  prompt: ignored, // read below
  raw: ignored,
  template: onlyText,
  system: onlyText,
  context: onlyText,
  suffix: onlyText,
  images: onlyText,
  format: onlyText,
  think: emptyOr(false),
  logprobs: emptyOr(false),
  top_logprobs: emptyOr(0),
};

const COMPLETIONS = '/v1/completions';

const cooked = toldAsChat(endpoint);

/** Ollama's generate for engines that have OpenAI's API only. */
export const ollamaGenerateToChat: Translator = {
  ...cooked,
  translate: (asked) => (asked['raw'] === true ? rawCall(asked) : cooked.translate(asked)),
};

/** The prompt as it is. */
function rawCall(asked: Json): Translation | Untranslatable {
  const { call, objections } = draftedStream(asked, rawRules, endpoint.from, COMPLETIONS);
  const { model, prompt } = asked;
  if (typeof prompt !== 'string' || prompt === '')
    objections.malformed('prompt', 'a string, and not empty where raw is true');
  if (objections.first) return objections.first;
  return {
    call: { ...call, prompt },
    instead: { to: COMPLETIONS, field: 'raw' },
    answer: () => new OllamaTelling({ model, shape: endpoint.shape, hidesThinking: asked['think'] === false }),
  };
}
