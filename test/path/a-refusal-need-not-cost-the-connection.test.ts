import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { lastAnswer, post, postHead, rawClient } from '../support/raw-client.ts';
import { held } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { type TestDataPlane, startDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/v1/chat/completions';
const body = '{"model":"llama3"}';

/** One request at the only slot, one in the only place of the waiting room. */
async function fill(router: TestDataPlane): Promise<void> {
  for (const count of [1, 2]) {
    void router.chat().catch(() => undefined);
    await until(() => router.plane.gauges().openLeases + router.plane.gauges().waiters === count, {
      what: 'a full room',
    });
  }
}

test('a small request is taken before it is refused, so that its connection lives on', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }], { queue: { maxWaiters: 1 } });
  await fill(router);
  using client = rawClient(router.url);
  for (const count of [1, 2, 3]) {
    client.send(post(path, body));
    await until(() => client.received().split('"code":"capacity_exceeded"').length === count + 1, {
      what: 'a refusal',
    });
    const { status, headers } = lastAnswer(client.received());
    assert.deepEqual([status, headers.get('connection')], [503, 'keep-alive']);
  }
  assert.equal(client.isClosed(), false);
  gate.release();
});

test('what comes free while a small body arrives is not refused', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }], { queue: { maxWaiters: 1 } });
  await fill(router);
  using client = rawClient(router.url);
  client.send(postHead(path, [`content-length: ${body.length}`]));
  await until(() => router.plane.gauges().openRequests === 3, { what: 'the head to be read' });
  gate.release();
  await until(() => router.plane.gauges().openRequests === 1, { what: 'the others to be served' });
  client.send(body);
  await client.sees('Hello from a node');
});

test('a small body that does not come is not waited for, and one that is larger or announced is refused unread', async () => {
  const clock = new ManualClock();
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }], { queue: { maxWaiters: 1 } }, { clock });
  await fill(router);
  using slow = rawClient(router.url);
  slow.send(postHead(path, [`content-length: ${body.length}`]));
  await until(() => router.plane.gauges().openRequests === 3, { what: 'the head to be read' });
  clock.advance(249);
  assert.equal(slow.received(), '');
  clock.advance(1);
  await slow.sees('"code":"capacity_exceeded"');
  assert.equal(lastAnswer(slow.received()).headers.get('connection'), 'close');
  for (const head of [
    ['content-length: 65537'],
    ['transfer-encoding: chunked'],
    ['content-length: 18', 'expect: 100-continue'],
  ]) {
    using client = rawClient(router.url);
    client.send(postHead(path, head));
    await client.sees('"code":"capacity_exceeded"');
    assert.equal(client.received().includes('100 Continue'), false);
  }
  gate.release();
});
