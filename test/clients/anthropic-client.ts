import { Anthropic, APIError } from '@anthropic-ai/sdk';
import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

const clientOf = ({ url, key, retries }: Ask): Anthropic =>
  new Anthropic({ baseURL: url, apiKey: key, maxRetries: retries });

const textOf = (content: readonly ContentBlock[]): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

export const anthropicClient: HeldClient = {
  chat: async (ask) => {
    const messages = [{ role: 'user' as const, content: ask.prompt }];
    const { content } = await clientOf(ask).messages.create({ model: ask.model, max_tokens: 20, messages });
    return textOf(content);
  },
  stream: async function* (ask, signal) {
    const messages = [{ role: 'user' as const, content: ask.prompt }];
    const stream = await clientOf(ask).messages.create(
      { model: ask.model, max_tokens: 20, messages, stream: true },
      { signal },
    );
    for await (const event of stream)
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
  },
  useTool: async (ask, run) => {
    const client = clientOf(ask);
    const { name, description, parameters } = readLoad;
    const input = { ...parameters, required: [...parameters.required] };
    const request = { model: ask.model, max_tokens: 200, tools: [{ name, description, input_schema: input }] };
    const question = { role: 'user' as const, content: ask.prompt };
    const asked = await client.messages.stream({ ...request, messages: [question] }).finalMessage();
    const call = asked.content.find((block) => block.type === 'tool_use');
    if (!call || asked.stop_reason !== 'tool_use') throw new Error('no tool was called');
    const told = await client.messages.create({
      ...request,
      messages: [
        question,
        { role: 'assistant', content: asked.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: run(call.input) }] },
      ],
    });
    return textOf(told.content);
  },
  told: (error) => {
    if (!(error instanceof APIError)) throw error;
    const { status } = error;
    return { status: typeof status === 'number' ? status : null, message: error.message };
  },
};
