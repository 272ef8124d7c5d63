import type { Piece } from './ollama-answer.ts';
import { chatCall, fieldsOf, listField } from './ollama-chat-call.ts';
import { type Faults, isUnset } from './ollama-fields.ts';
import { chatMessages } from './ollama-messages.ts';
import type { Json, Translator } from './translation.ts';

// What becomes of each field: docs/dialects.md.

/**
 * Fields that are none of Ollama's chat, and that it ignores: the Vercel AI SDK's provider for it (ollama-ai-provider-v2) sends them, and
 * means what they mean in OpenAI's dialect. Under `options` they come again where the caller said them there, and then those hold.
 */
const byProviders: ReadonlyMap<string, string> = new Map([
  ['tool_choice', 'tool_choice'],
  ['temperature', 'temperature'],
  ['top_p', 'top_p'],
  ['max_output_tokens', 'max_tokens'],
]);

const known = fieldsOf('messages', 'tools', ...byProviders.keys());

/** Ollama's chat for engines that have OpenAI's only. */
export const ollamaChatToChat: Translator = {
  from: '/api/chat',
  to: '/v1/chat/completions',
  translate(call) {
    const faults: Faults = [];
    const messages = listField(call, 'messages', faults);
    const tools = listField(call, 'tools', faults);
    const said = messages && {
      messages: chatMessages(messages, faults),
      ...(tools ? { tools } : {}),
      ...providersFields(call),
    };
    return chatCall(call, said, inMessage, faults, known);
  },
};

function providersFields(call: Json): Json {
  const said = [...byProviders].filter(([name]) => !isUnset(call[name]));
  return Object.fromEntries(said.map(([name, meant]) => [meant, call[name]]));
}

function inMessage({ content, thinking, toolCalls }: Piece): Json {
  return {
    message: {
      role: 'assistant',
      content,
      ...(thinking === '' ? {} : { thinking }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
  };
}
