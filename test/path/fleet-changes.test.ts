import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, finishEvent, frozen, held, type Reply, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

function openStream(): { answer: Scripted; reply: Promise<Reply> } {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  return {
    reply: promise,
    answer: (_request, reply) => {
      reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.response.write(deltaEvent('one'));
      resolve(reply);
    },
  };
}

test('when a frozen node is found to be offline its requests are tried elsewhere at once', async () => {
  await using ice = await scriptedNode(frozen);
  await using good = await scriptedNode();
  await using router = await startDataPlane([
    { url: ice.url, slots: 9 },
    { url: good.url, state: 'offline' },
  ]);
  const answers = [router.chat(), router.chat({ stream: true })];
  await until(() => ice.requests.length === 2, { what: 'both at the frozen node' });
  router.publish([{ url: ice.url, slots: 9, state: 'offline' }, { url: good.url }]);
  for (const answer of answers) {
    const response = await answer;
    assert.equal(response.status, 200);
    assert.match(await response.text(), /Hello/);
  }
  await until(() => ice.sockets().open === 0, { what: 'the frozen node to be let go' });
  for (const { attempts } of await router.settled(2)) {
    assert.deepEqual(
      attempts.map(({ end }) => end),
      ['node-lost', 'complete'],
    );
  }
});

test('an answer that has begun is left alone when its node is found to be offline', async () => {
  const { answer, reply } = openStream();
  await using node = await scriptedNode(answer);
  await using router = await startDataPlane([{ url: node.url }]);
  const stream = await router.chat({ stream: true });
  router.publish([{ url: node.url, state: 'offline' }]);
  (await reply).response.end(`${finishEvent()}data: [DONE]\n\n`);
  assert.ok((await stream.text()).endsWith('data: [DONE]\n\n'));
  assert.equal((await router.settled(1))[0]?.outcome, 'served');
});

test('a stream finishes though its node was removed, and its index went to another', async () => {
  const { answer, reply } = openStream();
  await using node = await scriptedNode(answer);
  await using next = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, slots: 1 }]);
  const stream = await router.chat({ stream: true });
  router.publish([null]);
  assert.equal((await router.chat()).status, 404);
  router.publish([{ url: next.url, slots: 1, generation: 2 }]);
  assert.equal(router.plane.gauges().nodes[0]?.taken, 0, 'the newcomer starts free');
  assert.equal((await router.chat()).status, 200);
  (await reply).response.end(`${finishEvent()}data: [DONE]\n\n`);
  assert.ok((await stream.text()).endsWith('data: [DONE]\n\n'));
  await router.settled(3);
  assert.equal(router.plane.gauges().nodes[0]?.taken, 0, 'a late release took nothing from it');
  await until(() => node.sockets().open === 0, { what: "the removed node's connection to close" });
  assert.equal(next.requests.length, 1);
});

test('when the last node of a model is removed its waiters are told at once', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }]);
  const running = router.chat();
  await until(() => gate.waiting() === 1, { what: 'the first at the node' });
  const waiting = router.chat();
  await until(() => router.plane.gauges().waiters === 1, { what: 'a waiter' });
  router.publish([null]);
  const response = await waiting;
  assert.equal(response.status, 503);
  assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
  assert.match(await response.text(), /"code":"no_ready_node"/);
  gate.release();
  assert.equal((await running).status, 200);
  await router.settled(2);
});

test('a request that failed on one node waits for another at its old place', async () => {
  const gate = held();
  const resets: PromiseWithResolvers<void> = Promise.withResolvers();
  await using bad = await scriptedNode(async (_request, reply) => {
    await resets.promise;
    reply.reset();
  });
  await using good = await scriptedNode(gate.answer);
  const fleet = [
    { url: bad.url, slots: 1 },
    { url: good.url, slots: 1 },
  ];
  await using router = await startDataPlane(fleet);
  const order: string[] = [];
  const first = ['a', 'b'].map(async (name) => {
    const response = await router.chat({ user: name });
    order.push(`first ${response.status}`);
  });
  await until(() => bad.requests.length === 1 && gate.waiting() === 1, { what: 'both nodes to be busy' });
  const later = router.chat().then(({ status }) => order.push(`later ${status}`));
  await until(() => router.plane.gauges().waiters === 1, { what: 'a third to wait' });
  resets.resolve();
  await until(() => router.plane.gauges().waiters >= 2 || bad.requests.length > 1, { what: 'the failed one to wait' });
  gate.release();
  await Promise.all([...first, later]);
  assert.equal(order.filter((each) => each.endsWith('200')).length, 3, String(order));
  const settlements = await router.settled(3);
  const retried = settlements.filter(({ attempts }) => attempts.length > 1);
  assert.ok(retried.length >= 1);
  assert.ok(retried.every(({ waitMs }) => waitMs !== null));
});
