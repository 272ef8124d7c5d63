import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { held, inTurn, status, chat } from './scripted-answers.ts';
import { scriptedNode } from './scripted-node.ts';
import { until } from './until.ts';

const ask = (url: string, body: unknown = { model: 'llama3' }): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) });

test('a scripted node without a script lists its models and answers chat, whole and streamed', async () => {
  await using node = await scriptedNode({ models: ['a/b', 'c'] });
  const models = await (await fetch(`${node.url}/v1/models`)).text();
  assert.deepEqual(
    [...models.matchAll(/"id":"([^"]+)"/g)].map((match) => match[1]),
    ['a/b', 'c'],
  );
  assert.match(await (await ask(node.url)).text(), /"content":"Hello from a node"/);
  const stream = await (await ask(node.url, { model: 'llama3', stream: true })).text();
  assert.equal(stream.split('\n\n').length, 7);
  assert.ok(stream.endsWith('data: [DONE]\n\n'));
  assert.equal(node.count('/v1/chat/completions'), 2);
  assert.deepEqual(node.requests[1]?.json(), { model: 'llama3' });
  assert.equal((await fetch(`${node.url}/props`)).status, 404);
});

test('a scripted node gives raw control of the socket and sees its client leave', async () => {
  await using node = await scriptedNode((_request, reply) => reply.raw('not HTTP at all'));
  const socket = connect(node.port, '127.0.0.1');
  socket.write('POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
  const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(5000) });
  assert.equal(String(bytes), 'not HTTP at all');
  assert.deepEqual(node.sockets(), { opened: 1, open: 1 });
  socket.destroy();
  await until(() => node.sockets().open === 0, { what: 'the socket to be gone' });
});

test('a scripted node can reset the connection', async () => {
  await using node = await scriptedNode((_request, reply) => reply.reset());
  const socket = connect(node.port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
  const [error] = await once(socket, 'error', { signal: AbortSignal.timeout(5000) }).catch((thrown: unknown) => [
    thrown,
  ]);
  assert.equal(Object(error).code, 'ECONNRESET');
});

test('answers can take turns, and be held until released', async () => {
  const gate = held(status(418));
  await using node = await scriptedNode(inTurn(status(503, { 'retry-after': '7' }), gate.answer, chat));
  const first = await ask(node.url);
  assert.deepEqual([first.status, first.headers.get('retry-after')], [503, '7']);
  const second = ask(node.url);
  await until(() => gate.waiting() === 1, { what: 'the held request' });
  assert.equal((await ask(node.url)).status, 200);
  gate.release();
  assert.equal((await second).status, 418);
});

test('a held request ends when its client leaves', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  const leaving = new AbortController();
  const answer = fetch(node.url, { method: 'POST', body: '{}', signal: leaving.signal });
  await until(() => gate.waiting() === 1, { what: 'the held request' });
  leaving.abort();
  await assert.rejects(answer);
  await until(() => gate.waiting() === 0, { what: 'the held request to end' });
});

test("closing a scripted node tells of a handler's own error", async () => {
  const node = await scriptedNode(async () => {
    throw new Error('mistake in the test');
  });
  await assert.rejects(ask(node.url));
  await assert.rejects(node.close(), /mistake in the test/);
});
