import type { Piece } from './ollama-answer.ts';
import { chatCall, fieldsOf } from './ollama-chat-call.ts';
import { type Faults, isUnset, refuse, textField } from './ollama-fields.ts';
import { contentWith } from './ollama-images.ts';
import type { Json, Translator } from './translation.ts';

// What becomes of each field: docs/dialects.md.

const known = fieldsOf('prompt', 'suffix', 'system', 'template', 'context', 'raw', 'images');

/** Ollama's generate, which puts a prompt into the model's template as chat does, for engines that have OpenAI's API only. */
export const ollamaGenerateToChat: Translator = {
  from: '/api/generate',
  to: '/v1/chat/completions',
  translate(call) {
    const faults: Faults = [];
    refuse(call, ['raw'], 'a chat always has a template, and /v1/completions has none', faults);
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

function inResponse({ content, thinking }: Piece): Json {
  return { response: content, ...(thinking === '' ? {} : { thinking }) };
}
