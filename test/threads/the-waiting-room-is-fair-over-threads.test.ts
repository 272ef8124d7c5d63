import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, type Reply, type ScriptedRequest } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings } from '../support/start-router.ts';
import { type Answer, startThreads, type ThreadClient } from '../support/relay-threads.ts';
import { until } from '../support/until.ts';

/** Requests at the node that are held until they are let go, oldest first. */
function gate() {
  const held: { readonly request: ScriptedRequest; readonly reply: Reply }[] = [];
  const seen: unknown[] = [];
  return {
    answer: (request: ScriptedRequest, reply: Reply): void => {
      held.push({ request, reply });
      seen.push(Reflect.get(Object(request.json()), 'n'));
    },
    held,
    seen,
    letGo: async (): Promise<void> => {
      const next = held.shift();
      if (next) await chat(next.request, next.reply);
    },
  };
}

test('who waits is served in the order of arrival, whichever thread they came to', async () => {
  const door = gate();
  await using node = await scriptedNode(door.answer);
  await using router = await startThreads(3, { nodes: [nodeSettings('n', node.url, { maxConcurrent: 1 })] });
  await router.settled;
  const clients: ThreadClient[] = [];
  const answers: Promise<Answer>[] = [];
  for (const [n, thread] of [1, 2, 0, 2, 1, 1, 0, 2, 0, 1].entries()) {
    const client = await router.clientOn(thread);
    clients.push(client);
    answers.push(client.chat({ n }));
    await until(async () => (await router.gauges()).waiters === n && door.held.length === 1, {
      what: `request ${n} to wait`,
    });
  }
  for (let served = 1; served <= answers.length; served += 1) {
    await door.letGo();
    await until(() => door.seen.length === Math.min(served + 1, answers.length), { what: 'the next at the node' });
    assert.ok(door.held.length <= 1, 'one slot, one request');
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.deepEqual(
    statuses,
    Array.from(answers, () => 200),
  );
  assert.deepEqual(
    door.seen,
    Array.from(answers, (_, at) => at),
  );
  await router.quiet();
  for (const client of clients) client.close();
});

test('a full waiting room is full for every thread, before the body is read too', async () => {
  const door = gate();
  await using node = await scriptedNode(door.answer);
  const nodes = [nodeSettings('n', node.url, { maxConcurrent: 1 })];
  await using router = await startThreads(2, { nodes, queue: { maxWaiters: 5, maxShare: 1 } });
  await router.settled;
  const [main, worker] = [await router.clientOn(0), await router.clientOn(1)];
  const clients: ThreadClient[] = [];
  const open: Promise<Answer>[] = [];
  for (let n = 0; n < 5; n += 1) {
    const client = await router.clientOn(n % 2);
    clients.push(client);
    open.push(client.chat({ n }));
    await until(async () => (await router.gauges()).waiters === n && door.held.length === 1, {
      what: `request ${n} to wait`,
    });
  }
  for (const client of [main, worker]) {
    const { status, headers, text } = await client.chat();
    assert.equal(status, 503);
    assert.match(text, /"capacity_exceeded"/);
    assert.ok(Number(headers['retry-after']) >= 1);
  }
  const late = await worker.chat({}, { 'x-weir-max-wait-ms': '5' });
  assert.equal(late.status, 503, 'as is who would not wait for long');
  for (let served = 0; served < open.length; served += 1) {
    await until(() => door.held.length === 1, { what: 'the next at the node' });
    await door.letGo();
  }
  for (const { status } of await Promise.all(open)) assert.equal(status, 200);
  await router.quiet();
  for (const client of [main, worker, ...clients]) client.close();
});

test('a waiter on another thread leaves the room when its client hangs up, and one that waited too long is told', async () => {
  const door = gate();
  await using node = await scriptedNode(door.answer);
  await using router = await startThreads(2, { nodes: [nodeSettings('n', node.url, { maxConcurrent: 1 })] });
  await router.settled;
  const [main, leaving, staying] = [await router.clientOn(0), await router.clientOn(1), await router.clientOn(1)];
  const running = main.chat();
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  const left = leaving.chat().catch(() => 'left');
  await until(async () => (await router.gauges()).waiters === 1, { what: 'a waiter' });
  leaving.close();
  assert.equal(await left, 'left');
  await until(async () => (await router.gauges()).waiters === 0, { what: 'the waiter to leave' });
  const late = await staying.chat({}, { 'x-weir-max-wait-ms': '30' });
  assert.equal(late.status, 504);
  assert.match(late.text, /"wait_timeout"/);
  assert.ok(Number(late.headers['x-weir-wait-ms']) >= 30);
  await door.letGo();
  assert.equal((await running).status, 200);
  await router.quiet();
  for (const client of [main, staying]) client.close();
});
