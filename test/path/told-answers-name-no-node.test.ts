import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { readStream, type StreamName } from '../support/streams.ts';

// What a node tells of itself beside its answer (the model's file, fingerprints) does not get into an answer told in another dialect;
// what the model says does, whatever it looks like.

const asked = {
  model: 'llama3',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'hi' }],
  input: 'hi',
  stream: true,
};
const chats = {
  '/v1/messages': ['model', 'max_tokens', 'messages', 'stream'],
  '/v1/responses': ['model', 'input', 'stream'],
};

function streamOf(name: StreamName): Scripted {
  return ({ path }, reply) => {
    if (path === '/v1/responses') reply.json(404, { error: { message: 'Not Found' } });
    else reply.response.writeHead(200, { 'content-type': 'text/event-stream' }).end(readStream(name));
  };
}

function bodyOf(fields: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(Object.entries(asked).filter(([field]) => fields.includes(field))));
}

test('an engine of chat, told as messages and as responses', async () => {
  await using node = await scriptedNode(streamOf('llamacpp-chat.sse'));
  await using router = await startDataPlane([{ url: node.url, models: { llama3: '/models/tiny-q8_0.gguf' } }]);
  for (const [path, fields] of Object.entries(chats)) {
    const answer = await fetch(router.url + path, { method: 'POST', body: bodyOf(fields) });
    const text = await answer.text();
    assert.match(text, /"model":"llama3"/);
    assert.match(text, /http:\/\/10\.0\.0\.5:8000/, 'what the model said');
    for (const own of ['tiny-q8_0', 'b6730', String(node.port), 'timings'])
      assert.ok(!text.includes(own), `${own}: ${text}`);
  }
});

test("Anthropic's API, told as chat", async () => {
  await using node = await scriptedNode(streamOf('anthropic-messages.sse'));
  await using router = await startDataPlane([
    { url: node.url, engine: 'anthropic', models: { llama3: 'claude-x-20260101' } },
  ]);
  const body = bodyOf(['model', 'messages', 'stream']);
  const answer = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body });
  const text = await answer.text();
  assert.match(text, /"model":"llama3"/);
  for (const own of ['claude-x', String(node.port)]) assert.ok(!text.includes(own), `${own}: ${text}`);
});
