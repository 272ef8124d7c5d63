import OpenAI, { APIError } from 'openai';
import { clients } from './clients.ts';
import { type Ask, holdToRouter, readLoad } from './hold.ts';

const clientOf = ({ url, key, retries }: Ask): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries });

holdToRouter(clients.openaiResponses, {
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
    const { output } = await client.responses.stream({ model: ask.model, input: ask.prompt, tools }).finalResponse();
    const call = output[0];
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
});
