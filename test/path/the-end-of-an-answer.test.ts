import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, finishEvent, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

/** Streams these events, then breaks the connection before the last chunk of the body. */
const torn =
  (events: string): Scripted =>
  (_request, { response, socket }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events, () => setImmediate(() => socket.destroy()));
  };

test('a stream whose connection breaks after its end marker is whole', async () => {
  await using node = await scriptedNode(torn(`${deltaEvent('all')}${finishEvent()}data: [DONE]\n\n`));
  await using weir = await startDataPlane([{ url: node.url }]);
  const response = await weir.chat({ stream: true });
  assert.ok((await response.text()).endsWith('data: [DONE]\n\n'));
  const [settlement] = await weir.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.status, settlement?.code], ['served', 200, null]);
});

test('a stream whose connection breaks before its end marker is not', async () => {
  await using node = await scriptedNode(torn(deltaEvent('some')));
  await using weir = await startDataPlane([{ url: node.url }]);
  const text = await (await weir.chat({ stream: true })).text();
  assert.match(text, /stream_interrupted/);
  assert.ok(!text.includes('[DONE]'));
  const [settlement] = await weir.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.code], ['interrupted', 'stream_interrupted']);
});

for (const [what, path, engine, type, some] of [
  ["an Ollama's", '/api/chat', 'ollama', 'application/x-ndjson', '{"message":{"content":"some"},"done":false}\n'],
  ['a told', '/v1/messages', 'openai', 'text/event-stream', deltaEvent('some')],
  ['a told', '/api/chat', 'openai', 'text/event-stream', deltaEvent('some')],
] as const) {
  test(`${what} stream of ${path} that ends in order without saying so broke`, async () => {
    await using node = await scriptedNode((_request, { response }) => {
      response.writeHead(200, { 'content-type': type });
      response.end(some);
    });
    await using weir = await startDataPlane([{ url: node.url, engine }]);
    const ask = { model: 'llama3', max_tokens: 5, stream: true, messages: [{ role: 'user', content: 'hello' }] };
    const { max_tokens: _, ...plain } = ask;
    const body = JSON.stringify(path === '/api/chat' ? plain : ask);
    const text = await (await fetch(weir.url + path, { method: 'POST', body })).text();
    assert.match(text, /some.*stream_interrupted/s);
    assert.doesNotMatch(text, /message_stop|"done":true/);
    const [settlement] = await weir.settled(1);
    assert.deepEqual([settlement?.outcome, settlement?.code], ['interrupted', 'stream_interrupted']);
  });
}

for (const [what, type, body] of [
  ['an HTML page', 'text/html', '<html><h1>Bad Request</h1></html>'],
  ['nothing', 'text/plain', ''],
  ['a message longer than any', 'application/json', JSON.stringify({ error: { message: 'x'.repeat(400_000) } })],
] as const) {
  test(`a node’s 400 that says ${what} is told as its refusal, not as a failure of ours`, async () => {
    await using node = await scriptedNode((_request, { response }) => {
      response.writeHead(400, { 'content-type': type });
      response.end(body);
    });
    await using weir = await startDataPlane([{ url: node.url }]);
    const response = await weir.chat();
    assert.equal(response.status, 400);
    const text = await response.text();
    assert.match(text, /"code":"request_rejected"/);
    assert.ok(!text.includes('<html>'));
    await weir.settled(1);
  });
}
