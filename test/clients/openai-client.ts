import OpenAI, { APIError } from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

const clientOf = ({ url, key, retries }: Ask): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries });

const question = ({ prompt }: Ask): ChatCompletionMessageParam => ({ role: 'user', content: prompt });

export const openaiClient: HeldClient = {
  chat: async (ask) => {
    const answer = await clientOf(ask).chat.completions.create({ model: ask.model, messages: [question(ask)] });
    return answer.choices[0]?.message.content ?? '';
  },
  stream: async function* (ask, signal) {
    const stream = await clientOf(ask).chat.completions.create(
      { model: ask.model, messages: [question(ask)], stream: true, stream_options: { include_usage: true } },
      { signal },
    );
    for await (const { choices } of stream) {
      const piece = choices[0]?.delta.content ?? '';
      if (piece !== '') yield piece;
    }
  },
  useTool: async (ask, run) => {
    const client = clientOf(ask);
    const request = { model: ask.model, tools: [{ type: 'function' as const, function: readLoad }] };
    const asked = await client.chat.completions.stream({ ...request, messages: [question(ask)] }).finalChatCompletion();
    const message = asked.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (!message || call?.type !== 'function') throw new Error('no tool was called');
    const result = run(JSON.parse(call.function.arguments));
    const told = await client.chat.completions.create({
      ...request,
      messages: [question(ask), message, { role: 'tool', tool_call_id: call.id, content: result }],
    });
    return told.choices[0]?.message.content ?? '';
  },
  told: (error) => {
    if (!(error instanceof APIError)) throw error;
    return { status: error.status ?? null, message: error.message };
  },
};
