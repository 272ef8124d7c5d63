import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { postHead, rawClient } from '../support/raw-client.ts';
import { frozen } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const question = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
const zipped = gzipSync(JSON.stringify(question));

function send(router: TestDataPlane, body: Buffer | ReadableStream, coding: string): Promise<Response> {
  return fetch(`${router.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': coding },
    body: body instanceof Buffer ? new Uint8Array(body) : body,
    duplex: 'half',
  });
}

function headOf(body: Buffer, more: readonly string[]): string {
  return postHead('/v1/chat/completions', [`content-length: ${body.length}`, ...more]);
}

async function codeOf(response: Response): Promise<string> {
  return `${response.status} ${/"code":"(\w+)"/.exec(await response.text())?.[1]}`;
}

test('a body compressed with gzip reaches the node plain', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  for (const coding of ['gzip', 'GZIP', 'x-gzip', ' gzip ']) {
    const response = await send(router, zipped, coding);
    assert.equal(response.status, 200, coding);
    await response.text();
  }
  assert.equal((await send(router, Buffer.from(JSON.stringify(question)), 'identity')).status, 200);
  for (const { headers, body } of node.requests) {
    assert.equal(headers['content-encoding'], undefined);
    assert.deepEqual(JSON.parse(body.toString()), question);
  }
  const [settlement] = await router.settled(5);
  assert.equal(settlement?.requestBytes, JSON.stringify(question).length);
});

test('a compressed body may come in pieces, of several members', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const text = JSON.stringify(question);
  const members = Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))]);
  const pieces = [members.subarray(0, 5), members.subarray(5, 40), members.subarray(40)];
  const response = await send(router, ReadableStream.from(pieces), 'gzip');
  assert.equal(response.status, 200);
  assert.deepEqual(node.requests.at(-1)?.json(), question);
});

test('the limit is on what a body is when unpacked', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], { limits: { bodyBytes: 10_000 } });
  const bomb = gzipSync(JSON.stringify({ ...question, padding: ' '.repeat(5_000_000) }));
  assert.ok(bomb.length < 10_000);
  assert.equal(await codeOf(await send(router, bomb, 'gzip')), '413 body_too_large');
  assert.equal(await codeOf(await send(router, Buffer.alloc(10_001), 'gzip')), '413 body_too_large');
  const padding = ' '.repeat(10_000 - JSON.stringify({ ...question, padding: '' }).length);
  const exact = gzipSync(JSON.stringify({ ...question, padding }));
  assert.equal((await send(router, exact, 'gzip')).status, 200);
  assert.equal(node.count('/v1/chat/completions'), 1);
});

test('a body that is not what it says is refused', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  for (const broken of [Buffer.from(JSON.stringify(question)), zipped.subarray(0, -4), Buffer.alloc(0)])
    assert.equal(await codeOf(await send(router, broken, 'gzip')), '400 invalid_encoding');
  for (const coding of ['br', 'deflate', 'gzip, gzip', 'zstd']) {
    const refused = await send(router, brotliCompressSync('{}'), coding);
    assert.equal(refused.headers.get('accept-encoding'), 'gzip');
    assert.equal(await codeOf(refused), '415 unsupported_encoding');
  }
  assert.equal(node.requests.length, 0);
});

test('compressed bodies one behind the other on one connection are answered in their order', async () => {
  await using node = await scriptedNode((request, reply) => reply.json(200, { said: request.body.toString() }));
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  const plain = Buffer.from('{"model":"llama3","n":2}');
  const last = gzipSync('{"model":"llama3","n":3}');
  client.send(headOf(zipped, ['content-encoding: gzip']));
  client.send(zipped);
  client.send(Buffer.concat([Buffer.from(headOf(plain, [])), plain]));
  client.send(headOf(last, ['content-encoding: gzip', 'connection: close']));
  client.send(last);
  await client.closed();
  const answers = client.received().match(/"said":"\{.*?\}"\}/g) ?? [];
  assert.equal(answers.length, 3);
  assert.match(answers[0] ?? '', /hello/);
  assert.match(answers[1] ?? '', /n\\":2/);
  assert.match(answers[2] ?? '', /n\\":3/);
});

test('a client that leaves while its body is unpacked leaves nothing open', async () => {
  await using node = await scriptedNode(frozen);
  await using router = await startDataPlane([{ url: node.url }]);
  const large = gzipSync(Buffer.from(JSON.stringify({ ...question, padding: ' '.repeat(30_000_000) })));
  using client = rawClient(router.url);
  client.send(headOf(large, ['content-encoding: gzip']));
  client.send(large);
  await until(() => router.plane.open.size === 1, { what: 'the request' });
  client.socket.destroy();
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'gone');
});
