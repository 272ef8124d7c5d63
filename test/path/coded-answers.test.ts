import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, createGzip, gzipSync } from 'node:zlib';
import { completion, deltaEvent, finishEvent, inTurn, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

// Nodes are asked for plain answers. Some, or a proxy before them, compress all the same.

const coded =
  (status: number, body: Buffer, coding: string): Scripted =>
  (_request, { response }) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-encoding': coding,
      'content-length': body.length,
    });
    response.end(body);
  };

test('an answer that a node compressed unasked reaches the client plain, and its model path is gone', async () => {
  const text = JSON.stringify({
    object: 'chat.completion',
    model: '/srv/secret.gguf',
    system_fingerprint: 'b1',
    choices: [],
  });
  for (const [coding, body] of [
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
  ] as const) {
    await using node = await scriptedNode(coded(200, body, coding));
    await using weir = await startDataPlane([{ url: node.url }]);
    const response = await weir.chat();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-encoding'), null);
    assert.deepEqual(await response.json(), { object: 'chat.completion', model: 'llama3', choices: [] });
    await weir.settled(1);
  }
});

test('a compressed refusal is scrubbed as a plain one is', async () => {
  await using node = await scriptedNode((request, reply) => {
    const error = { error: { message: `bad request at ${request.headers.host}`, type: 'x' } };
    return coded(400, gzipSync(JSON.stringify(error)), 'gzip')(request, reply);
  });
  await using weir = await startDataPlane([{ url: node.url }]);
  const response = await weir.chat();
  assert.equal(response.status, 400);
  const text = await response.text();
  assert.match(text, /bad request at \[address\]/);
  assert.ok(!text.includes(String(node.port)));
});

test('a compressed stream arrives event by event', async () => {
  const go = Promise.withResolvers<void>();
  await using node = await scriptedNode(async (_request, { response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    const gzip = createGzip();
    gzip.pipe(response);
    gzip.write(deltaEvent('one'));
    gzip.flush();
    await go.promise;
    gzip.end(`${deltaEvent('two')}${finishEvent()}data: [DONE]\n\n`);
  });
  await using weir = await startDataPlane([{ url: node.url }]);
  const response = await weir.chat({ stream: true });
  const reader = response.body?.getReader();
  assert.ok(reader);
  const first = await reader.read();
  assert.match(Buffer.from(first.value ?? []).toString(), /one/);
  go.resolve();
  let rest = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    rest += Buffer.from(piece.value).toString();
  assert.match(rest, /two[\s\S]*\[DONE\]/);
  const [settlement] = await weir.settled(1);
  assert.equal(settlement?.outcome, 'served');
});

test('an answer whose coding is broken or unknown is garbage, and another node is tried', async () => {
  for (const bad of [coded(200, Buffer.from('not gzip'), 'gzip'), coded(200, Buffer.from('x'), 'rot13')]) {
    await using node = await scriptedNode(inTurn(bad, (_request, reply) => reply.json(200, completion('ok'))));
    await using weir = await startDataPlane([{ url: node.url }, { url: node.url }]);
    const response = await weir.chat();
    assert.equal(response.status, 200);
    const [settlement] = await weir.settled(1);
    assert.deepEqual(
      settlement?.attempts.map(({ end }) => end),
      ['garbage', 'complete'],
    );
  }
});
