import OpenAI, { APIError } from 'openai';
import type { ResponseOutputItem } from 'openai/resources/responses/responses';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

const clientOf = ({ url, key, retries }: Ask): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries });

export const openaiResponsesClient: HeldClient = {
  chat: async (ask) => {
    const answer = await clientOf(ask).responses.create({ model: ask.model, input: ask.prompt });
    return answer.output_text;
  },
  stream: async function* (ask, signal) {
    const stream = await clientOf(ask).responses.create(
      { model: ask.model, input: ask.prompt, stream: true },
      { signal },
    );
    for await (const event of stream) if (event.type === 'response.output_text.delta') yield event.delta;
  },
  useTool: async (ask, run) => {
    const client = clientOf(ask);
    const tools = [{ type: 'function' as const, strict: true, ...readLoad }];
    let call: ResponseOutputItem | undefined;
    // Not the client's own helper: llama.cpp leaves out the places of items, which that needs.
    for await (const event of await client.responses.create({
      model: ask.model,
      input: ask.prompt,
      tools,
      stream: true,
    }))
      if (event.type === 'response.completed') [call] = event.response.output;
    if (call?.type !== 'function_call') throw new Error('no tool was called');
    const told = await client.responses.create({
      model: ask.model,
      tools,
      input: [
        { role: 'user', content: ask.prompt },
        call,
        { type: 'function_call_output', call_id: call.call_id, output: run(JSON.parse(call.arguments)) },
      ],
    });
    return told.output_text;
  },
  told: (error) => {
    if (!(error instanceof APIError)) throw error;
    return { status: error.status ?? null, message: error.message };
  },
};
