import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { chat, type Reply, type ScriptedRequest } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const callers = ['flood', 'light'] as const;
type CallerName = (typeof callers)[number];
const keys = callers.map((id) => testKey(keyHash(`secret-${id}`), { id }));

/** A node that answers one request at a time, when it is told to. */
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

async function stage(maxWaiters: number) {
  const door = gate();
  const node = await scriptedNode(door.answer);
  const queue = { maxWaiters, maxShare: 1, timeoutMs: 30_000, maxBytes: 1_000_000 };
  const router = await startDataPlane([{ url: node.url, slots: 1 }], { queue }, { keys });
  const ask = (id: CallerName): Promise<number> =>
    router.chat({ user: id }, { headers: { authorization: `Bearer secret-${id}` } }).then(async (response) => {
      await response.text();
      return response.status;
    });
  return {
    door,
    router,
    ask,
    [Symbol.asyncDispose]: async () => {
      await router[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

test('who asks for one answer is next, however many another caller has asked for before', async () => {
  await using scene = await stage(100);
  const { door, router, ask } = scene;
  const flood = [ask('flood')];
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  for (let nth = 0; nth < 30; nth += 1) flood.push(ask('flood'));
  await until(() => router.plane.gauges().waiters === 30, { what: 'the flood to wait' });
  const light = ask('light');
  await until(() => router.plane.gauges().waiters === 31, { what: 'the other to wait' });
  for (let served = 1; served <= 31; served += 1) {
    await door.letGo();
    await until(() => door.seen.length === Math.min(32, served + 1), { what: 'the next at the node' });
  }
  await door.letGo();
  assert.equal(await light, 200);
  assert.ok((await Promise.all(flood)).every((status) => status === 200));
  assert.equal(door.seen.indexOf('light'), 2, 'after the one that ran and the first that waited');
});

test('one caller’s flood leaves places for others', async () => {
  await using scene = await stage(20);
  const { door, router, ask } = scene;
  const light = [ask('light')];
  await until(() => door.held.length === 1, { what: 'the slot to be taken' });
  const flood = Array.from({ length: 40 }, () => ask('flood'));
  await until(() => router.settlements.filter(({ code }) => code === 'capacity_exceeded').length === 32, {
    what: 'the flood to be cut off',
  });
  light.push(ask('light'), ask('light'));
  await until(() => router.plane.gauges().waiters === 10, { what: 'the other to wait beside it' });
  for (let served = 0; served < 11; served += 1) {
    await until(() => door.held.length === 1, { what: 'the next at the node' });
    await door.letGo();
  }
  assert.deepEqual(await Promise.all(light), [200, 200, 200]);
  await Promise.all(flood);
});
