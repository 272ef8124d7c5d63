import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { objectOf } from '../../src/data-plane/translate/rules.ts';
import { type Reply, type Scripted, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { readStream } from '../support/streams.ts';
import { until } from '../support/until.ts';

// OpenAI's own client before a node that has only Anthropic's API.

const messages = [{ role: 'user' as const, content: 'weather?' }];
const tools = [{ type: 'function' as const, function: { name: 'weather' } }];
const asked = { model: 'llama3', messages };
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [{ type: 'text', text: 'Sunny.' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 4 },
};
const start = { type: 'message_start', message: { ...message, content: [], stop_reason: null } };

function openai({ url }: TestDataPlane): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
}

/** A node of Anthropic's make. */
function before(url: string): ReturnType<typeof startDataPlane> {
  return startDataPlane([{ url, engine: 'anthropic', apiKey: 'secret', models: { llama3: 'claude-x' } }]);
}

function answers(whole: object): Scripted {
  return (_request, reply) => reply.json(200, whole);
}

function streams(events: readonly object[], end: (reply: Reply) => void): Scripted {
  return (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) {
      reply.response.write(`event: ${String(objectOf(event)?.['type'])}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    end(reply);
  };
}

test('a whole answer; the node is asked in its own dialect and version', async () => {
  await using node = await scriptedNode(answers(message));
  await using router = await before(node.url);
  const completion = await openai(router).chat.completions.create(asked);
  assert.deepEqual([completion.choices[0]?.message.content, completion.model], ['Sunny.', 'llama3']);
  assert.deepEqual([completion.usage?.prompt_tokens, completion.usage?.completion_tokens], [7, 4]);
  const [request] = node.requests;
  assert.equal(request?.path, '/v1/messages');
  assert.equal(request?.headers['anthropic-version'], '2023-06-01');
  assert.equal(request?.headers['x-api-key'], 'secret');
  assert.equal(request?.headers.authorization, undefined);
  assert.deepEqual(request?.json(), {
    model: 'claude-x',
    max_tokens: 8192,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'weather?' }] }],
  });
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.usage?.promptTokens, settlement?.usage?.completionTokens], [7, 4]);
});

test('a stream, with the usage where it was asked for', async () => {
  await using node = await scriptedNode(streamOf(readStream('anthropic-messages.sse')));
  await using router = await before(node.url);
  const options = { include_usage: true };
  const stream = openai(router).chat.completions.stream({ ...asked, stream_options: options });
  const completion = await stream.finalChatCompletion();
  assert.equal(completion.choices[0]?.message.content, 'Hello!');
  assert.equal(completion.usage?.prompt_tokens, 128);
  const body = JSON.stringify({ ...asked, stream: true });
  const text = await (await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body })).text();
  assert.match(text, /"finish_reason":"stop"[^\n]*\n\ndata: \[DONE\]\n\n$/);
});

test('a streamed call', async () => {
  const call = { type: 'tool_use', id: 'a', name: 'weather', input: {} };
  await using node = await scriptedNode(
    streams(
      [
        start,
        { type: 'content_block_start', index: 0, content_block: call },
        { type: 'ping' },
        { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"city":' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '"Kyoto"}' } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
        { type: 'message_stop' },
      ],
      ({ response }) => void response.end(),
    ),
  );
  await using router = await before(node.url);
  const completion = await openai(router)
    .chat.completions.stream({ ...asked, tools })
    .finalChatCompletion();
  assert.equal(completion.choices[0]?.finish_reason, 'tool_calls');
  const [told] = completion.choices[0].message.tool_calls ?? [];
  assert.ok(told?.type === 'function');
  assert.deepEqual([told.id, told.function.name, told.function.arguments], ['a', 'weather', '{"city":"Kyoto"}']);
});

test('a stream that breaks, by the connection or by an error event, ends with an error', async () => {
  const text = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'one' } };
  const overloaded =
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
  for (const breaks of [
    ({ socket }: Reply): unknown => socket.destroy(),
    ({ response }: Reply): unknown => response.end(overloaded),
  ]) {
    const seen = Promise.withResolvers<void>();
    await using node = await scriptedNode(
      streams([start, text], (reply) => void seen.promise.then(() => breaks(reply))),
    );
    await using router = await before(node.url);
    const stream = await openai(router).chat.completions.create({ ...asked, stream: true });
    let told = '';
    await assert.rejects(async () => {
      for await (const chunk of stream) {
        told += chunk.choices[0]?.delta.content ?? '';
        if (told !== '') seen.resolve();
      }
    }, OpenAI.APIError);
    assert.equal(told, 'one');
  }
});

test('a client that leaves takes its request to the node with it', async () => {
  await using node = await scriptedNode(streams([start], () => undefined));
  await using router = await before(node.url);
  const stream = await openai(router).chat.completions.create({ ...asked, stream: true });
  stream.controller.abort();
  await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'gone');
});

test("the node's refusal and what cannot be told are each a 400", async () => {
  const refusal = { type: 'error', error: { type: 'invalid_request_error', message: 'temperature: too high' } };
  await using node = await scriptedNode((_request, reply) => reply.json(400, refusal));
  await using router = await before(node.url);
  const client = openai(router);
  await assert.rejects(client.chat.completions.create(asked), /400.*temperature: too high/);
  await assert.rejects(client.chat.completions.create({ ...asked, seed: 7 }), /400 seed cannot be told/);
  assert.equal(node.requests.length, 1);
});

test('an overloaded provider is another matter than a refusal', async () => {
  await using node = await scriptedNode(status(529, { 'retry-after': '7' }, 'Overloaded'));
  await using router = await before(node.url);
  await assert.rejects(openai(router).chat.completions.create(asked), (error) => {
    assert.ok(error instanceof OpenAI.APIError);
    assert.ok(error.status >= 500, String(error.status));
    return true;
  });
});

test('responses and Ollama reach it through chat', async () => {
  await using node = await scriptedNode(answers(message));
  await using router = await before(node.url);
  const response = await openai(router).responses.create({ model: 'llama3', input: 'weather?' });
  assert.equal(response.output_text, 'Sunny.');
  const body = JSON.stringify({ ...asked, stream: false });
  const answer = await (await fetch(`${router.url}/api/chat`, { method: 'POST', body })).text();
  assert.match(answer, /"content":"Sunny\."/);
});

function streamOf(stream: Buffer): Scripted {
  return (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < stream.length; at += 50) reply.response.write(stream.subarray(at, at + 50));
    reply.response.end();
  };
}
