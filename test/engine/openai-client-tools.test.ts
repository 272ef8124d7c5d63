import assert from 'node:assert/strict';
import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';
import { engineTest, openai } from './stage.ts';

const tools: ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'read_load',
      description: 'How busy a node is',
      parameters: {
        type: 'object',
        properties: { node: { type: 'string', enum: ['gpu', 'cpu'] } },
        required: ['node'],
      },
    },
  },
];
const question: ChatCompletionMessageParam = { role: 'user', content: 'is there room' };
const request = { model: 'tiny', tools, temperature: 0, max_tokens: 100 };

function checkCall(name: string | undefined, json: string): void {
  assert.equal(name, 'read_load');
  const { node }: { node: string } = JSON.parse(json);
  assert.ok(['gpu', 'cpu'].includes(node), json);
}

engineTest('a tool call passes through, and its result goes back to the engine', async ({ engine, weirBefore }) => {
  const client = openai(await weirBefore([await engine({ ctx: 2048 })]));
  const asked = await client.chat.completions.create({ ...request, messages: [question] });
  assert.equal(asked.choices[0]?.finish_reason, 'tool_calls');
  const { message } = asked.choices[0];
  const call = message.tool_calls?.[0];
  assert.ok(call?.type === 'function');
  checkCall(call.function.name, call.function.arguments);

  const told = await client.chat.completions.create({
    ...request,
    max_tokens: 5,
    messages: [question, message, { role: 'tool', tool_call_id: call.id, content: '3 of 4 slots are taken' }],
  });
  assert.match(told.choices[0]?.message.content ?? '', /router/);
});

engineTest('a streamed tool call passes through piece by piece', async ({ engine, weirBefore }) => {
  const client = openai(await weirBefore([await engine({ ctx: 2048 })]));
  const stream = client.chat.completions.stream({ ...request, messages: [question] });
  let pieces = 0;
  for await (const chunk of stream) if (chunk.choices[0]?.delta.tool_calls) pieces++;
  assert.ok(pieces > 3, `it came in ${pieces} pieces`);
  const call = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
  assert.ok(call?.type === 'function');
  checkCall(call.function.name, call.function.arguments);
});
