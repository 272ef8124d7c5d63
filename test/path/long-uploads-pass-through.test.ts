import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { chunk, fileHead, formEnd, formField, uploadHead } from '../support/form-text.ts';
import { post, rawClient } from '../support/raw-client.ts';
import { rawNode } from '../support/raw-node.ts';
import { held } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { feed } from '../support/feed.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;
const HEARD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"text":"hi!"}';
const start = formField('model', 'llama3') + fileHead;
const half = 'x'.repeat(300_000);

/** What a node received behind the head of its last request. */
const bodyIn = (received: string): string => received.slice(received.indexOf('\r\n\r\n') + 4);

test('a node receives an upload while its client still sends it, with its length', async () => {
  await using node = await rawNode((piece, { socket }) => {
    if (piece.endsWith(formEnd)) socket.write(HEARD);
  });
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  const body = start + half + half + formEnd;
  client.send(uploadHead(body.length));
  client.send(start + half);
  await until(() => bodyIn(node.connections[0]?.received() ?? '') === start + half, { what: 'the first half' });
  client.send(half + formEnd);
  await client.sees('{"text":"hi!"}');
  const received = node.connections[0]?.received() ?? '';
  assert.equal(bodyIn(received), body);
  assert.match(received, new RegExp(`^content-length: ${body.length}\r$`, 'm'));
  // The connection is read on, as after any other request.
  client.send(post('/v1/chat/completions', '{"model":"nobody"}'));
  await client.sees('model_not_found');
  const [settled] = await router.settled(2);
  assert.deepEqual([settled?.outcome, settled?.requestBytes], ['served', body.length]);
});

test('an upload in chunks goes on in chunks', async () => {
  await using node = await scriptedNode((_request, reply) => reply.json(200, { text: 'hello' }));
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.send(uploadHead(null) + chunk(start) + chunk(half));
  await until(() => router.plane.gauges().openLeases === 1, { what: 'it to be placed' });
  client.send(`${chunk(half + formEnd)}0\r\n\r\n`);
  await client.sees('{"text":"hello"}');
  assert.equal(node.requests[0]?.headers['transfer-encoding'], 'chunked');
  assert.equal(node.requests[0].body.toString(), start + half + half + formEnd);
});

for (const order of ['before', 'behind'] as const) {
  test(`the official client's upload with its model ${order} the file reaches a node that has another name for it`, async () => {
    await using node = await scriptedNode((_request, reply) => reply.json(200, { text: 'hello' }));
    await using router = await startDataPlane([{ url: node.url, models: { ear: 'openai/whisper-large' } }]);
    const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const sound = Buffer.alloc(3 * MB, 'sound');
    const file = await toFile(sound, 'a.wav');
    const asked = order === 'before' ? { model: 'ear', language: 'de', file } : { file, model: 'ear', language: 'de' };
    assert.equal((await client.audio.transcriptions.create(asked)).text, 'hello');
    const seen = node.requests[0];
    assert.ok(seen);
    assert.equal(Number(seen.headers['content-length']), seen.body.length);
    const headers = { 'content-type': String(seen.headers['content-type']) };
    const read = await new Response(new Uint8Array(seen.body), { headers }).formData();
    assert.deepEqual([read.get('model'), read.get('language')], ['openai/whisper-large', 'de']);
    const sent = read.get('file');
    assert.ok(sent instanceof Blob && Buffer.from(await sent.arrayBuffer()).equals(sound));
  });
}

test('the connection of an upload that came in one piece is read on', async () => {
  await using node = await scriptedNode((_request, reply) => reply.json(200, { text: 'hello' }));
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  for (let turn = 1; turn <= 2; turn += 1) {
    client.send(`${uploadHead(null)}${chunk(`${start}x${formEnd}`)}0\r\n\r\n`);
    await until(() => client.received().split('{"text":"hello"}').length === turn + 1, { what: `answer ${turn}` });
  }
});

test('a client that waits to be asked for its upload is asked, and then streams it', async () => {
  await using node = await scriptedNode((_request, reply) => reply.json(200, { text: 'hello' }));
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.send(uploadHead(start.length + half.length + formEnd.length, ['expect: 100-continue']));
  await client.sees('HTTP/1.1 100 Continue');
  client.send(start + half + formEnd);
  await client.sees('{"text":"hello"}');
});

test('200 MB pass through with next to nothing of them held, waiting for a slot and behind a slow node', async () => {
  const gate = held();
  await using chatting = await scriptedNode(gate.answer);
  let received = 0;
  let ends = '';
  const sockets: Socket[] = [];
  const node = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      if (received === 0) socket.pause();
      received += piece.length;
      ends = (ends + piece.subarray(-formEnd.length).toString('latin1')).slice(-formEnd.length);
      if (ends === formEnd) socket.write(HEARD);
    });
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  const address = node.address();
  assert.ok(typeof address === 'object' && address);
  const limits = { bodyBytes: 256 * MB };
  await using router = await startDataPlane([{ url: chatting.url, slots: 1 }], { limits });
  const running = router.chat();
  await until(() => gate.waiting() === 1, { what: 'the slot to be taken' });

  const length = start.length + 200 * MB + formEnd.length;
  using client = rawClient(router.url);
  client.send(uploadHead(length) + start);
  await until(() => router.plane.gauges().waiters === 1, { what: 'the upload to wait' });
  const { taken, stuck } = feed(client, 200);
  await stuck();
  assert.ok(router.plane.gauges().waitingBytes < 300_000, String(router.plane.gauges().waitingBytes));

  router.publish([null, { url: `http://127.0.0.1:${address.port}`, slots: 1 }]);
  await until(() => received > 0, { what: 'the slow node to be reached' });
  await stuck();
  // What the client could get rid of is in the system's buffers, which are some megabytes on each of the two ways.
  assert.ok(taken() < 50, String(taken()));
  sockets[0]?.resume();
  await client.sees('{"text":"hi!"}');
  assert.ok(received > length && received < length + 1000, String(received));
  gate.release();
  await running;
  node.close();
});
