import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import type { Alias } from '../../src/fleet/settings.ts';
import type { KeySnapshot } from '../../src/fleet/snapshot.ts';
import { fakeProvider } from '../support/fake-provider.ts';
import { chat, held, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

function inOrder(name: string, ...models: readonly string[]): Alias {
  return { name, how: 'in-order', waitMs: null, targets: models.map((model) => ({ model, weight: 1 })) };
}

const fast = inOrder('fast', 'llama3', 'openai:gpt-x');

async function told(answer: Promise<Response> | Response): Promise<string> {
  const response = await answer;
  const text = await response.text();
  return `${response.status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim();
}

/** Node and model of each attempt of the last request. */
async function attemptsOf(router: TestDataPlane, requests: number) {
  const settlement = (await router.settled(requests)).at(-1);
  return settlement?.attempts.map(({ nodeName, model, end }) => [nodeName, model, end]);
}

test('an alias in order is served by its first model, under the name that was asked for', async () => {
  await using local = await scriptedNode();
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([{ url: local.url, name: 'local' }, openai.node()], { aliases: [fast] });
  const answer = await router.chat({ model: 'fast:latest' });
  assert.match(await answer.text(), /"model":"fast:latest"/);
  assert.deepEqual(await attemptsOf(router, 1), [['local', 'llama3', 'complete']]);
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.model, settlement?.modelOffered], ['fast', true]);
  assert.equal(openai.requests.length, 0);
});

for (const state of ['offline', 'loading'] as const) {
  test(`where the first model has no ready node (${state}) the next serves at once`, async () => {
    await using local = await scriptedNode();
    await using openai = await fakeProvider('openai');
    await using router = await startDataPlane([{ url: local.url, state }, openai.node({ name: 'openai' })], {
      aliases: [fast],
    });
    const answer = await router.chat({ model: 'fast' });
    assert.equal(answer.headers.get('x-weir-wait-ms'), null);
    assert.match(await answer.text(), /"model":"fast"/);
    assert.match(openai.requests[0]?.body.toString() ?? '', /"model":"gpt-x"/);
    assert.deepEqual(await attemptsOf(router, 1), [['openai', 'openai:gpt-x', 'complete']]);
  });
}

test('a first model that is full is waited for only a part of the time, and not at all where the room is full', async () => {
  const gate = held();
  await using local = await scriptedNode(gate.answer);
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([{ url: local.url, slots: 1 }, openai.node({ name: 'openai' })], {
    aliases: [fast],
    queue: { maxWaiters: 2, maxShare: 1 },
  });
  const first = router.chat();
  await until(() => local.count('/v1/chat/completions') === 1, { what: 'the slot to be taken' });
  const waited = await router.chat({ model: 'fast' }, { headers: { 'x-weir-max-wait-ms': '60' } });
  assert.equal(waited.status, 200);
  assert.notEqual(waited.headers.get('x-weir-wait-ms'), null);

  const waiters = [router.chat(), router.chat()];
  await until(() => router.plane.gauges().waiters === 2, { what: 'a full room' });
  const refused = await router.chat({ model: 'fast' });
  assert.deepEqual([refused.status, refused.headers.get('x-weir-wait-ms')], [200, null]);
  assert.equal(openai.requests.length, 2);
  gate.release();
  for (const answer of await Promise.all([first, ...waiters])) assert.equal(answer.status, 200);
  await router.settled(5);
});

test('a first model that may not be waited for is passed over as soon as it is full', async () => {
  const gate = held();
  await using local = await scriptedNode(gate.answer);
  await using openai = await fakeProvider('openai');
  const nodes = [{ url: local.url, slots: 1 }, openai.node()];
  await using router = await startDataPlane(nodes, { aliases: [{ ...fast, waitMs: 0 }] });
  const first = router.chat({ model: 'fast' });
  await until(() => local.count('/v1/chat/completions') === 1, { what: 'the slot to be taken' });
  assert.equal(await told(router.chat({ model: 'fast' })), '200');
  assert.equal(openai.requests.length, 1);
  gate.release();
  assert.equal(await told(first), '200');
  await router.settled(2);
});

test('a first model whose attempts fail is followed by the next, with three attempts in all', async () => {
  const broken = status(500);
  await using a = await scriptedNode(broken);
  await using b = await scriptedNode(broken);
  await using c = await scriptedNode(broken);
  await using openai = await fakeProvider('openai');
  const nodes = [a, b, c].map((node, index) => ({ url: node.url, name: `local-${index}` }));
  await using router = await startDataPlane([...nodes, openai.node({ name: 'openai' })], { aliases: [fast] });
  assert.equal(await told(router.chat({ model: 'fast' })), '200');
  const attempts = await attemptsOf(router, 1);
  assert.deepEqual(
    attempts?.map(([, model, end]) => [model, end]),
    [
      ['llama3', 'server-error'],
      ['llama3', 'server-error'],
      ['openai:gpt-x', 'complete'],
    ],
  );
});

test('where every model fails the client is told what leaves it most hope', async () => {
  await using local = await scriptedNode(status(429, { 'retry-after': '7' }));
  await using openai = await fakeProvider('openai', { answer: status(404, {}, 'no such model') });
  await using router = await startDataPlane([{ url: local.url }, openai.node()], { aliases: [fast] });
  const answer = await router.chat({ model: 'fast' });
  assert.equal(answer.headers.get('retry-after'), '7');
  assert.equal(await told(answer), '503 capacity_exceeded');
  assert.deepEqual(
    (await attemptsOf(router, 1))?.map(([, model]) => model),
    ['llama3', 'openai:gpt-x'],
  );
});

test("a node's own 4xx is the answer: no other model is asked", async () => {
  await using local = await scriptedNode(status(400));
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([{ url: local.url }, openai.node()], { aliases: [fast] });
  assert.equal((await router.chat({ model: 'fast' })).status, 400);
  assert.equal(openai.requests.length, 0);
});

test('an upload that has reached a node is sent to no other model', async () => {
  await using local = await scriptedNode(status(500));
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([{ url: local.url }, openai.node()], { aliases: [fast] });
  const form = new FormData();
  form.set('model', 'fast');
  form.set('file', new Blob(['sound']), 'a.wav');
  const answer = await fetch(`${router.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
  assert.equal(await told(answer), '502 upstream_failed');
  assert.equal(openai.requests.length, 0);
});

test('a request that comes before the fleet was looked at waits for that, and does not go to the stand-in', async () => {
  await using local = await scriptedNode();
  await using openai = await fakeProvider('openai');
  const nodes = [{ url: local.url, state: 'starting' } as const, openai.node()];
  await using router = await startDataPlane(nodes, { aliases: [fast] }, { settled: false });
  const answer = router.chat({ model: 'fast' });
  await until(() => router.plane.open.size === 1, { what: 'the request to be there' });
  router.publish([{ url: local.url }, openai.node()]);
  assert.equal((await answer).status, 200);
  assert.deepEqual([local.count('/v1/chat/completions'), openai.requests.length], [1, 0]);
});

test('weights split requests, and the other model stands in', async () => {
  await using a = await scriptedNode(chat);
  await using b = await scriptedNode(chat);
  const any: Alias = {
    name: 'mix',
    how: 'weighted',
    waitMs: null,
    targets: [
      { model: 'a', weight: 9 },
      { model: 'b', weight: 1 },
    ],
  };
  const nodes = [
    { url: a.url, models: { a: 'a' } },
    { url: b.url, models: { b: 'b' } },
  ];
  await using router = await startDataPlane(nodes, { aliases: [any] });
  for (let turn = 0; turn < 60; turn += 1) await (await router.chat({ model: 'mix' })).text();
  const [toA, toB] = [a, b].map((node) => node.count('/v1/chat/completions'));
  assert.ok(toA !== undefined && toB !== undefined && toA > toB && toA + toB === 60, `${toA} and ${toB}`);
  router.publish([{ ...nodes[0], url: a.url, state: 'offline' }, nodes[1] ?? null]);
  for (let turn = 0; turn < 5; turn += 1) assert.equal(await told(router.chat({ model: 'mix' })), '200');
  assert.equal(a.count('/v1/chat/completions'), toA);
});

test('lists show an alias of which a model is offered, in every dialect', async () => {
  await using local = await scriptedNode();
  const aliases = [fast, inOrder('nothing', 'missing', 'google:gemini-x'), inOrder('cloud', 'openai:gpt-x')];
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([{ url: local.url }, openai.node()], { aliases });
  const idsIn = async (path: string, name: string): Promise<string[]> => {
    const text = await (await fetch(router.url + path)).text();
    return Array.from(text.matchAll(new RegExp(`"${name}":"([^"]*)"`, 'g')), ([, id = '']) => id);
  };
  assert.deepEqual(await idsIn('/v1/models', 'id'), ['cloud', 'fast', 'llama3']);
  assert.deepEqual(await idsIn('/api/tags', 'name'), ['cloud:latest', 'fast:latest', 'llama3:latest']);
  assert.deepEqual(await idsIn('/api/ps', 'name'), ['cloud:latest', 'fast:latest', 'llama3:latest']);
  assert.equal((await fetch(`${router.url}/v1/models/fast`)).status, 200);
  assert.equal((await fetch(`${router.url}/v1/models/nothing`)).status, 404);
});

test('a key may use an alias by its name, or those of its models that it may use by theirs', async () => {
  await using local = await scriptedNode();
  await using openai = await fakeProvider('openai');
  const ask = async (models: readonly string[]): Promise<readonly [string, string]> => {
    const before = openai.requests.length;
    const more: Partial<KeySnapshot> = { models };
    const keys = [testKey(keyHash('weir-key-canary'), more)];
    const headers = { authorization: 'Bearer weir-key-canary' };
    await using router = await startDataPlane([{ url: local.url }, openai.node()], { aliases: [fast] }, { keys });
    const answer = await told(router.chat({ model: 'fast' }, { headers }));
    const list = await (await fetch(`${router.url}/v1/models`, { headers })).text();
    const shown = Array.from(list.matchAll(/"id":"([^"]*)"/g), ([, id]) => id).join();
    return [`${answer} by ${openai.requests.length > before ? 'openai' : 'local'}`, shown];
  };
  assert.deepEqual(await ask(['fast']), ['200 by local', 'fast']);
  assert.deepEqual(await ask(['llama3']), ['200 by local', 'fast,llama3']);
  assert.deepEqual(await ask(['openai:gpt-x']), ['200 by openai', 'fast']);
  assert.deepEqual(await ask(['openai:*']), ['200 by openai', 'fast']);
  assert.deepEqual(await ask(['lla*', 'openai:gpt']), ['200 by local', 'fast,llama3']);
  assert.deepEqual(await ask(['another']), ['403 not_allowed by local', '']);
});
