import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { chat, type Reply, type ScriptedRequest } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane, testKey } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const keys = [
  testKey(keyHash('secret-urgent'), { id: 'urgent', maxPriority: 'high' }),
  testKey(keyHash('secret-patient'), { id: 'patient', maxDeadlineMs: 40 }),
];
const urgent = { authorization: 'Bearer secret-urgent' };

/** A node that answers when it is told to. */
function gate() {
  const held: { readonly request: ScriptedRequest; readonly reply: Reply }[] = [];
  const seen: unknown[] = [];
  return {
    held,
    seen,
    answer: (request: ScriptedRequest, reply: Reply): void => {
      held.push({ request, reply });
      seen.push(Reflect.get(Object(request.json()), 'user'));
    },
    letGo: async (): Promise<void> => {
      const next = held.shift();
      if (next) await chat(next.request, next.reply);
    },
  };
}

async function stage(queue: { maxWaiters?: number; reserved?: number } = {}) {
  const door = gate();
  const node = await scriptedNode(door.answer);
  const router = await startDataPlane([{ url: node.url, slots: 1 }], { queue: { maxShare: 1, ...queue } }, { keys });
  return {
    door,
    router,
    [Symbol.asyncDispose]: async () => {
      await router[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

function ask(router: TestDataPlane, user: string, headers: Record<string, string>): Promise<number> {
  return router.chat({ user }, { headers }).then(async (response) => {
    await response.text();
    return response.status;
  });
}

test('what is urgent goes first, and only a key that may can say so', async () => {
  await using scene = await stage();
  const { door, router } = scene;
  const answers = [ask(router, 'first', {})];
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  const asked = [
    ['low', { 'x-weir-priority': 'low' }],
    ['would be high', { 'x-weir-priority': 'high' }],
    ['high', { ...urgent, 'x-weir-priority': 'high' }],
  ] as const;
  for (const [nth, [user, headers]] of asked.entries()) {
    answers.push(ask(router, user, headers));
    await until(() => router.plane.gauges().waiters === nth + 1, { what: `${user} to wait` });
  }
  for (let nth = 0; nth < 4; nth += 1) {
    await until(() => door.held.length === 1, { what: `request ${nth} at the node` });
    await door.letGo();
  }
  assert.deepEqual(await Promise.all(answers), [200, 200, 200, 200]);
  assert.deepEqual(door.seen, ['first', 'high', 'would be high', 'low']);
});

test('a deadline that passes in the queue is told in each dialect’s form, with where the request stood', async () => {
  await using scene = await stage();
  const { door, router } = scene;
  const running = ask(router, 'first', {});
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  const body = JSON.stringify({ model: 'llama3', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
  for (const path of ['/v1/chat/completions', '/v1/messages'] as const) {
    const response = await fetch(router.url + path, { method: 'POST', body, headers: { 'x-weir-deadline-ms': '30' } });
    const told: unknown = await response.json();
    if (path === '/v1/messages' && response.status === 404) continue;
    assert.equal(response.status, 503, JSON.stringify(told));
    const error = Object(Object(told).error);
    assert.equal(error.code, 'deadline_unreachable');
    assert.equal(error.queue_position, 1);
    assert.ok(error.estimated_wait_ms > 0);
    assert.equal(response.headers.get('x-weir-queue-position'), '1');
    assert.equal(response.headers.get('x-weir-estimated-wait-ms'), String(error.estimated_wait_ms));
    assert.ok(Number(response.headers.get('retry-after')) >= 1);
    assert.ok(Number(response.headers.get('x-weir-wait-ms')) >= 1);
  }
  await door.letGo();
  assert.equal(await running, 200);
});

test('a key’s own deadline holds for requests that name none or a later one', async () => {
  await using scene = await stage();
  const { door, router } = scene;
  const running = ask(router, 'first', {});
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  const patient = { authorization: 'Bearer secret-patient' };
  assert.equal(await ask(router, 'no word', patient), 503);
  assert.equal(await ask(router, 'later', { ...patient, 'x-weir-ttft-slo-ms': '60000' }), 503);
  await door.letGo();
  assert.equal(await running, 200);
});

test('who waits for too long is told where it stood', async () => {
  await using scene = await stage();
  const { door, router } = scene;
  const running = ask(router, 'first', {});
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  const response = await router.chat({}, { headers: { 'x-weir-max-wait-ms': '20' } });
  assert.equal(response.status, 504);
  assert.equal(Object(await response.json()).error.queue_position, 1);
  await door.letGo();
  assert.equal(await running, 200);
});

test('a request that comes after its deadline takes no slot', async () => {
  await using scene = await stage();
  assert.equal(await ask(scene.router, 'late', { 'x-weir-deadline-ms': '0' }), 503);
  assert.deepEqual(scene.door.seen, []);
  const [settlement] = await scene.router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.code], ['refused', 'deadline_unreachable']);
});

test('an answer in progress is not cut when its deadline passes', async () => {
  await using scene = await stage();
  const { door, router } = scene;
  const running = ask(router, 'first', { 'x-weir-deadline-ms': '50' });
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  // Another's, begun later, has passed for certain when it is told so.
  assert.equal(await ask(router, 'second', { 'x-weir-deadline-ms': '60' }), 503);
  await door.letGo();
  assert.equal(await running, 200);
});

test('a header that makes no sense is refused by name', async () => {
  await using scene = await stage();
  const wrong = { 'x-weir-priority': '1', 'x-weir-deadline-ms': 'soon', 'x-weir-ttft-slo-ms': '2s' };
  for (const [name, value] of Object.entries(wrong)) {
    const response = await scene.router.chat({}, { headers: { [name]: value } });
    assert.equal(response.status, 400);
    const { error } = Object(await response.json());
    assert.equal(error.code, 'invalid_header');
    assert.ok(String(error.message).startsWith(name), error.message);
  }
});

test('a full room tells where one would have stood, before the body is read too, and lets the urgent in where places are kept', async () => {
  await using scene = await stage({ maxWaiters: 5, reserved: 0.2 });
  const { door, router } = scene;
  const answers = [ask(router, 'first', {})];
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  for (let nth = 1; nth <= 4; nth += 1) {
    answers.push(ask(router, `waiter ${nth}`, {}));
    await until(() => router.plane.gauges().waiters === nth, { what: `waiter ${nth}` });
  }
  const response = await router.chat();
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('x-weir-queue-position'), '5');
  assert.equal(Object(await response.json()).error.queue_position, 5);
  answers.push(ask(router, 'high', { ...urgent, 'x-weir-priority': 'high' }));
  await until(() => router.plane.gauges().waiters === 5, { what: 'the urgent one to wait' });
  for (let nth = 0; nth < answers.length; nth += 1) {
    await until(() => door.held.length === 1, { what: `request ${nth} at the node` });
    await door.letGo();
  }
  assert.deepEqual(await Promise.all(answers), [200, 200, 200, 200, 200, 200]);
});
