import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { at } from '../support/json-path.ts';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

const modelOf = ({ url, key, model, retries }: Ask): ChatOpenAI =>
  new ChatOpenAI({ model, apiKey: key, maxRetries: retries, configuration: { baseURL: `${url}/v1` } });

export const langchainClient: HeldClient = {
  chat: async (ask) => (await modelOf(ask).invoke(ask.prompt)).text,
  stream: async function* (ask, signal) {
    for await (const { text } of await modelOf(ask).stream(ask.prompt, { signal })) if (text !== '') yield text;
  },
  useTool: async (ask, run) => {
    const model = modelOf(ask).bindTools([{ type: 'function', function: readLoad }]);
    const question = new HumanMessage(ask.prompt);
    const asked = await model.invoke([question]);
    const call = asked.tool_calls?.[0];
    if (!call) throw new Error('no tool was called');
    const result = new ToolMessage({ content: run(call.args), tool_call_id: call.id ?? '' });
    return (await model.invoke([question, asked, result])).text;
  },
  told: (error) => {
    if (!(error instanceof Error)) throw error;
    const status = at(error, 'status');
    return { status: typeof status === 'number' ? status : null, message: error.message };
  },
};
