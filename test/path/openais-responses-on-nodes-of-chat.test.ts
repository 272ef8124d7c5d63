import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { objectOf } from '../../src/data-plane/translate/rules.ts';
import { chat, deltaEvent, inTurn, type Scripted, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { readStream } from '../support/streams.ts';
import { until } from '../support/until.ts';

// OpenAI's own client before a node that is found out not to have responses: every kind of engine has them in some release, so the first
// request meets a 404 and is told again as chat.

const asked = { model: 'llama3', input: 'weather?' };
const tools = [
  { type: 'function' as const, name: 'weather', strict: false, parameters: { type: 'object', properties: {} } },
];

function openai({ url }: TestDataPlane): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
}

/** Without `/v1/responses`. */
function nodeOfChat(answer: Scripted): ReturnType<typeof scriptedNode> {
  return scriptedNode({ answer, paths: { '/v1/responses': status(404, {}, 'Not Found') } });
}

function bytes(stream: Buffer): Scripted {
  return (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < stream.length; at += 100) reply.response.write(stream.subarray(at, at + 100));
    reply.response.end();
  };
}

test('a whole answer', async () => {
  await using node = await nodeOfChat(chat);
  await using router = await startDataPlane([{ url: node.url }]);
  const response = await openai(router).responses.create({ ...asked, instructions: 'Be brief.' });
  assert.deepEqual(
    [response.output_text, response.status, response.model],
    ['Hello from a node', 'completed', 'llama3'],
  );
  assert.equal(response.usage?.total_tokens, 9);
  assert.deepEqual(objectOf(node.requests.at(-1)?.json()), {
    model: 'llama3',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'weather?' },
    ],
  });
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.usage?.completionTokens], ['served', 4]);
});

test('a stream with reasoning and a call, and the result sent back', async () => {
  await using node = await nodeOfChat(inTurn(bytes(readStream('vllm-tools.sse')), chat));
  await using router = await startDataPlane([{ url: node.url }]);
  const client = openai(router);
  const response = await client.responses.stream({ ...asked, tools }).finalResponse();
  assert.deepEqual(
    response.output.map((item) => (item.type === 'function_call' ? [item.name, item.arguments] : item.type)),
    ['reasoning', ['weather', '{"city": "Kyoto"}']],
  );
  const result = { type: 'function_call_output' as const, call_id: 'chatcmpl-tool-5f0c', output: 'sunny' };
  const said = response.output.flatMap((item) =>
    item.type === 'function_call' || item.type === 'reasoning' ? [item] : [],
  );
  const again = await client.responses.create({
    ...asked,
    tools,
    input: [{ role: 'user', content: 'weather?' }, ...said, result],
  });
  assert.equal(again.output_text, 'Hello from a node');
  const { messages } = objectOf(node.requests.at(-1)?.json()) ?? {};
  assert.ok(Array.isArray(messages));
  assert.deepEqual(
    messages.map((message: unknown) => objectOf(message)?.['role']),
    ['user', 'assistant', 'tool'],
  );
  assert.equal(objectOf(messages[1])?.['reasoning_content'], 'Look it up.');
});

test('a stream is told event by event, and stops at the node when the client leaves', async () => {
  await using node = await nodeOfChat((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'));
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const stream = await openai(router).responses.create({ ...asked, stream: true });
  for await (const event of stream) if (event.type === 'response.output_text.delta') break;
  await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'gone');
});

test('a stream that breaks ends with an error event and without the response', async () => {
  await using node = await nodeOfChat((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'), () => reply.socket.destroy());
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const answer = await fetch(`${router.url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ ...asked, stream: true }),
  });
  const text = await answer.text();
  assert.match(
    text,
    /^event: response\.created\n[^]*"delta":"one"[^]*\nevent: error\ndata: [^\n]*"stream_interrupted"[^\n]*\n\n$/,
  );
  assert.ok(!text.includes('response.completed'));
});

test('going on from an earlier response is a 400 that says what to do', async () => {
  await using node = await nodeOfChat(chat);
  await using router = await startDataPlane([{ url: node.url }]);
  const client = openai(router);
  await client.responses.create(asked);
  const before = node.requests.length;
  await assert.rejects(client.responses.create({ ...asked, previous_response_id: 'resp_1' }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.match(error.message, /previous_response_id cannot be told .* send all of it as input/);
    return true;
  });
  assert.equal(node.requests.length, before);
});
