import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { post, postHead, rawClient } from '../support/raw-client.ts';
import { completion, held } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/v1/chat/completions';
const slow = '{"model":"llama3","slow":true}';
const quick = '{"model":"llama3"}';

test('an answer behind a slow one is not held against its client, however long it has to wait', async () => {
  const clock = new ManualClock();
  const gate = held();
  const long = JSON.stringify(completion('x'.repeat(1_000_000)));
  await using node = await scriptedNode((request, reply) => {
    if (request.body.toString() === slow) return gate.answer(request, reply);
    reply.response.writeHead(200, { 'content-type': 'application/json' }).end(long);
  });
  await using router = await startDataPlane([{ url: node.url }], { timeouts: { betweenBytesMs: 2000 } }, { clock });
  using client = rawClient(router.url);
  client.send(post(path, slow) + post(path, quick));
  await until(() => gate.waiting() === 1 && node.requests.length === 2, { what: 'both at the node' });
  for (let count = 0; count < 5; count += 1) {
    // The answer that waits has been read by then as far as it is read.
    await fetch(`${router.url}/healthz`);
    clock.advance(1500);
  }
  gate.release();
  await client.sees('Hello from a node');
  await until(() => client.received().split('x').length > 1_000_000, { what: 'the whole second answer' });
  await router.settled(2);
  assert.deepEqual(
    router.settlements.map(({ outcome }) => outcome),
    ['served', 'served'],
  );
  client.send(post(path, quick));
  await router.settled(3);
});

test('a client behind another answer is not told to go on in the middle of its own', async () => {
  const gate = held();
  await using node = await scriptedNode((request, reply) => {
    if (request.body.toString() === slow) return gate.answer(request, reply);
    reply.json(200, completion('quick'));
  });
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  const expecting = postHead(path, [`content-length: ${quick.length}`, 'expect: 100-continue']);
  client.send(post(path, slow) + expecting + quick);
  await until(() => node.requests.length === 2, { what: 'both at the node' });
  gate.release();
  await client.sees('"quick"');
  await router.settled(2);
  assert.equal(client.received().includes('100 Continue'), false);
  // Its client may still be about to send the body a second time.
  await client.closed();
  using alone = rawClient(router.url);
  alone.send(expecting);
  await alone.sees('100 Continue');
  alone.send(quick);
  await router.settled(3);
});

test('a body that nobody wants does not keep a connection', async () => {
  await using router = await startDataPlane([]);
  using client = rawClient(router.url);
  client.send('GET /v1/models HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999\r\n\r\n');
  await client.sees('"object":"list"');
  assert.match(client.received(), /connection: close/i);
  await client.closed();
});
