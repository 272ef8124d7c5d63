import { Ollama } from 'ollama';
import { at } from '../support/json-path.ts';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

const clientOf = ({ url, key }: Ask): Ollama => new Ollama({ host: url, headers: { authorization: `Bearer ${key}` } });

export const ollamaClient: HeldClient = {
  chat: async (ask) => {
    const messages = [{ role: 'user', content: ask.prompt }];
    return (await clientOf(ask).chat({ model: ask.model, messages })).message.content;
  },
  stream: async function* (ask, signal) {
    const client = clientOf(ask);
    const messages = [{ role: 'user', content: ask.prompt }];
    const stream = await client.chat({ model: ask.model, messages, stream: true });
    signal.addEventListener('abort', () => stream.abort());
    for await (const { message } of stream) if (message.content !== '') yield message.content;
  },
  useTool: async (ask, run) => {
    const client = clientOf(ask);
    const { name, description, parameters } = readLoad;
    const node = { type: 'string', enum: [...parameters.properties.node.enum] };
    const tool = { name, description, parameters: { type: 'object', properties: { node }, required: ['node'] } };
    const request = { model: ask.model, tools: [{ type: 'function', function: tool }] };
    const question = { role: 'user', content: ask.prompt };
    const { message } = await client.chat({ ...request, messages: [question] });
    const call = message.tool_calls?.[0];
    if (!call) throw new Error('no tool was called');
    const result = { role: 'tool', tool_name: call.function.name, content: run(call.function.arguments) };
    return (await client.chat({ ...request, messages: [question, message, result] })).message.content;
  },
  told: (error) => {
    if (!(error instanceof Error)) throw error;
    const status = at(error, 'status_code');
    return { status: typeof status === 'number' ? status : null, message: error.message };
  },
};
