import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { lastAnswer, post, postHead, rawClient } from '../support/raw-client.ts';
import { held } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/v1/chat/completions';

test('after 256 KB of a refused body reading stops and the answer ends, but the connection stands for a second', async () => {
  const clock = new ManualClock();
  await using router = await startDataPlane([], { limits: { bodyBytes: 1000 } }, { clock });
  using client = rawClient(router.url);
  let failure: unknown = null;
  client.socket.on('error', (error) => {
    failure = error;
  });
  const ended = once(client.socket, 'end', { signal: AbortSignal.timeout(5000) });
  client.send(postHead(path, ['content-length: 100000000']));
  client.send(Buffer.alloc(100_000_000));
  await ended;
  assert.equal(lastAnswer(client.received()).status, 413);
  clock.advance(999);
  // Another client's whole exchange: time for a reset to arrive, were there one.
  assert.equal((await fetch(`${router.url}/healthz`)).status, 200);
  assert.deepEqual([client.isClosed(), failure], [false, null]);
  clock.advance(1);
  await client.closed();
});

test('a refused client that sends nothing more is let go after a second, one that sends the rest at once', async () => {
  const clock = new ManualClock();
  await using router = await startDataPlane([], { limits: { bodyBytes: 1000 } }, { clock });
  using silent = rawClient(router.url);
  using sending = rawClient(router.url);
  for (const client of [silent, sending]) client.send(postHead(path, ['content-length: 2000']));
  for (const client of [silent, sending]) await client.sees('"code":"body_too_large"');
  sending.send(Buffer.alloc(2000));
  await sending.closed();
  assert.equal(silent.isClosed(), false);
  clock.advance(1000);
  await silent.closed();
});

test('a refusal behind an answer under way does not cut that answer', async () => {
  const clock = new ManualClock();
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url }], { limits: { bodyBytes: 1000 } }, { clock });
  using client = rawClient(router.url);
  client.send(post(path, '{"model":"llama3"}') + postHead(path, ['content-length: 1000000']));
  await until(() => gate.waiting() === 1, { what: 'the first at the node' });
  client.send(Buffer.alloc(1_000_000));
  await until(() => router.plane.gauges().openRequests === 1, { what: 'the second to be refused' });
  clock.advance(1000);
  gate.release();
  await client.sees('Hello from a node');
  await client.sees('"code":"body_too_large"');
  clock.advance(1000);
  await client.closed();
});
