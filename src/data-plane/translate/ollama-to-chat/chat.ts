import { type FieldRule, ignored, isUnset, passes } from '../rules.ts';
import { type Endpoint, toldAsChat } from './call.ts';
import { settings } from './settings.ts';
import { readTurns } from './turns.ts';

// What becomes of each field: docs/dialects.md.
//
// Four fields are none of Ollama's chat, and it ignores them: the Vercel AI SDK's provider for it (ollama-ai-provider-v2) sends them, and
// means what they mean in OpenAI's dialect. Under `options` they come again where the caller said them there, and then those hold.

/** Told under this name, unless the options say it. */
function besides(name: string): FieldRule {
  return (value, _field, { call }) => {
    call[name] ??= value;
  };
}

const tools: FieldRule = (value, field, { call, objections }) => {
  if (Array.isArray(value)) call[field] = value;
  else objections.malformed(field, 'a list');
};

const endpoint: Endpoint = {
  from: '/api/chat',
  rules: {
    ...settings,
    messages: ignored, // read below
    tools,
    tool_choice: passes,
    temperature: besides('temperature'),
    top_p: besides('top_p'),
    max_output_tokens: besides('max_tokens'),
  },
  messagesOf: ({ messages }, objections) => (isUnset(messages) ? null : readTurns(messages, objections)),
  shape: ({ content, thinking, toolCalls }) => ({
    message: {
      role: 'assistant',
      content,
      ...(thinking !== '' && { thinking }),
      ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
    },
  }),
};

/** Ollama's chat for engines that have OpenAI's only. */
export const ollamaChatToChat = toldAsChat(endpoint);
