import type { Piece } from './ollama-answer.ts';
import { chatCall, fieldsOf, listField } from './ollama-chat-call.ts';
import type { Faults } from './ollama-fields.ts';
import { chatMessages } from './ollama-messages.ts';
import type { Json, Translator } from './translation.ts';

// What becomes of each field: docs/dialects.md.

const known = fieldsOf('messages', 'tools');

/** Ollama's chat for engines that have OpenAI's only. */
export const ollamaChatToChat: Translator = {
  from: '/api/chat',
  to: '/v1/chat/completions',
  translate(call) {
    const faults: Faults = [];
    const messages = listField(call, 'messages', faults);
    const tools = listField(call, 'tools', faults);
    const said = messages && { messages: chatMessages(messages, faults), ...(tools ? { tools } : {}) };
    return chatCall(call, said, inMessage, faults, known);
  },
};

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
