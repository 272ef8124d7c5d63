import { Agent, OpenAIResponsesModel, run, setTracingDisabled, tool } from '@openai/agents';
import OpenAI, { APIError } from 'openai';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

// Traces would go to the maker's own host.
setTracingDisabled(true);

function modelOf({ url, key, model, retries }: Ask): OpenAIResponsesModel {
  return new OpenAIResponsesModel(new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries }), model);
}

export const agentsClient: HeldClient = {
  chat: async (ask) => {
    const result = await run(new Agent({ name: 'asker', model: modelOf(ask) }), ask.prompt);
    return result.finalOutput ?? '';
  },
  stream: async function* (ask, signal) {
    const result = await run(new Agent({ name: 'asker', model: modelOf(ask) }), ask.prompt, { stream: true, signal });
    for await (const piece of result.toTextStream()) yield piece;
    await result.completed;
  },
  useTool: async (ask, execute) => {
    const { name, description, parameters } = readLoad;
    const tools = [
      tool({
        name,
        description,
        parameters: { ...parameters, required: [...parameters.required] },
        execute: (args) => execute(args),
      }),
    ];
    const result = await run(new Agent({ name: 'asker', model: modelOf(ask), tools }), ask.prompt);
    return result.finalOutput ?? '';
  },
  told: (error) => {
    if (!(error instanceof Error)) throw error;
    return { status: error instanceof APIError ? (error.status ?? null) : null, message: error.message };
  },
};
