import { ollamaAnswer, type Piece } from './ollama-answer.ts';
import { chatCall, fieldsOf } from './ollama-chat-call.ts';
import { type Faults, isUnset, refuse, refuseOthers, textField, textOf } from './ollama-fields.ts';
import { contentWith } from './ollama-images.ts';
import { optionFields, streamFields } from './ollama-options.ts';
import type { Json, Translation, Translator, Untranslatable } from './translation.ts';

// A prompt is put into the model's template, as chat does it; a raw one is not, as completions do it. What becomes of each field:
// docs/dialects.md.

const RAW = 'the engine takes a raw prompt for text alone';

const known = fieldsOf('prompt', 'suffix', 'system', 'template', 'context', 'raw', 'images');

/** Ollama's generate for engines that have OpenAI's API only. */
export const ollamaGenerateToChat: Translator = {
  from: '/api/generate',
  to: '/v1/chat/completions',
  translate(call) {
    const faults: Faults = [];
    if (call['raw'] === true) return rawCall(call, faults);
    refuse(call, ['template'], 'they have the template that they were started with', faults);
    refuse(
      call,
      ['context'],
      "its numbers are another engine's tokens; send the history as messages to /api/chat",
      faults,
    );
    refuse(call, ['suffix'], 'a chat cannot be told how its answer goes on', faults);
    const system = textField(call, 'system', faults);
    const prompt = textField(call, 'prompt', faults);
    const { images } = call;
    const isLoad = prompt === '' && isUnset(images);
    const messages = [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: contentWith(prompt, images, '', faults) },
    ];
    return chatCall(call, isLoad ? null : { messages }, inResponse, faults, known);
  },
};

/** The prompt as it is. OpenAI's completions have neither formats nor images, and other logprobs. */
function rawCall(call: Json, faults: Faults): Translation | Untranslatable {
  refuse(call, ['template', 'system', 'context', 'suffix', 'images', 'format', 'think', 'logprobs'], RAW, faults);
  refuseOthers(call, known, faults);
  const prompt = textField(call, 'prompt', faults);
  if (prompt === '') faults.push({ field: 'prompt', message: 'prompt must not be empty where raw is true.' });
  const model = textOf(call['model']);
  const completion = { model, prompt, ...optionFields(call, faults), ...streamFields(call) };
  const [fault] = faults;
  if (fault) return fault;
  return {
    call: completion,
    instead: { to: '/v1/completions', field: 'raw' },
    answer: () => ollamaAnswer(model, inResponse),
  };
}

function inResponse({ content, thinking }: Piece): Json {
  return { response: content, ...(thinking === '' ? {} : { thinking }) };
}
