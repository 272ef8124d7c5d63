import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import type { KeySnapshot } from '../../src/fleet/snapshot.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { deltaEvent, finishEvent, held, type Reply } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const secret = 'weir-key-canary';
const bearer = { authorization: `Bearer ${secret}` };
const required = { auth: { clients: 'required' } } as const;

function keys(more: Partial<KeySnapshot> = {}): { keys: readonly (readonly [string, KeySnapshot])[] } {
  return { keys: [testKey(keyHash(secret), more)] };
}

async function codeOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const text = await response.text();
  return `${response.status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim();
}

function chat(router: TestDataPlane, headers: Record<string, string>): Promise<string> {
  return codeOf(router.chat({}, { headers }));
}

test('where keys are required a request needs a known one, in either header', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], required, keys());
  assert.equal(await chat(router, {}), '401 invalid_api_key');
  assert.equal(await chat(router, { authorization: 'Bearer wrong' }), '401 invalid_api_key');
  assert.equal(await chat(router, { authorization: `Basic ${secret}` }), '401 invalid_api_key');
  assert.equal(await chat(router, { authorization: 'Bearer' }), '401 invalid_api_key');
  assert.equal(await chat(router, bearer), '200');
  assert.equal(await chat(router, { authorization: `bearer   ${secret} ` }), '200');
  assert.equal(await chat(router, { 'x-api-key': secret }), '200');
  assert.equal(await codeOf(fetch(`${router.url}/v1/models`)), '401 invalid_api_key');
  assert.equal((await fetch(`${router.url}/healthz`)).status, 200, 'health is asked for without a key');
  assert.equal(node.requests.length, 3);
  const settlements = await router.settled(7);
  assert.deepEqual(
    settlements.map(({ keyId }) => keyId),
    [null, null, null, null, 'key-1', 'key-1', 'key-1'],
  );
});

test('an unknown key on loopback is no error, and a known one counts as its caller', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], {}, keys());
  assert.equal(await chat(router, { authorization: 'Bearer sk-anything' }), '200');
  assert.equal(await chat(router, bearer), '200');
  const [first, second] = await router.settled(2);
  assert.deepEqual([first?.keyId, first?.address], [null, '127.0.0.1']);
  assert.deepEqual([second?.keyId, second?.address], ['key-1', null]);
});

test('an expired key is no key', async () => {
  await using node = await scriptedNode();
  const clock = new ManualClock();
  await using router = await startDataPlane([{ url: node.url }], required, {
    clock,
    ...keys({ expiresAt: clock.wall() + 1000 }),
  });
  assert.equal(await chat(router, bearer), '200');
  clock.advance(1000);
  assert.equal(await chat(router, bearer), '401 invalid_api_key');
});

test('a key limited to models may use and see only those', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane(
    [{ url: node.url, models: { llama3: 'llama3', other: 'other' } }],
    required,
    keys({ models: ['llama3'] }),
  );
  assert.equal(await chat(router, bearer), '200');
  const post = (model: string): Promise<string> => codeOf(router.chat({ model }, { headers: bearer }));
  assert.equal(await post('llama3:latest'), '200');
  assert.equal(await post('other'), '403 not_allowed');
  assert.equal(await post('nobody'), '403 not_allowed', 'it does not learn what there is');
  const list = await (await fetch(`${router.url}/v1/models`, { headers: bearer })).text();
  assert.deepEqual(
    [...list.matchAll(/"id":"([^"]+)"/g)].map((match) => match[1]),
    ['llama3'],
  );
  assert.equal(await codeOf(fetch(`${router.url}/v1/models/other`, { headers: bearer })), '403 not_allowed');
  assert.equal(await codeOf(fetch(`${router.url}/v1/models/llama3`, { headers: bearer })), '200');
});

test('a spent rate is 429 with the time until one request is refilled', async () => {
  await using node = await scriptedNode();
  const clock = new ManualClock();
  await using router = await startDataPlane([{ url: node.url }], {}, { clock, ...keys({ ratePerMinute: 3 }) });
  for (let sent = 0; sent < 3; sent += 1) assert.equal(await chat(router, bearer), '200');
  const response = await router.chat({}, { headers: bearer });
  assert.deepEqual(
    [response.status, response.headers.get('retry-after'), response.headers.get('retry-after-ms')],
    [429, '20', '20000'],
  );
  assert.match(await response.text(), /"type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"/);
  const list = await fetch(`${router.url}/v1/models`, { headers: bearer });
  assert.deepEqual([list.status, list.headers.get('retry-after')], [429, '20']);
  clock.advance(20_000);
  assert.equal(await chat(router, bearer), '200');
  const limited = (await router.settled(5)).find(({ status }) => status === 429);
  assert.deepEqual([limited?.outcome, limited?.keyId], ['rejected', 'key-1']);
});

test('a key has at most as many requests open as it may', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url }], {}, keys({ maxConcurrent: 2 }));
  const open = [chat(router, bearer), chat(router, bearer)];
  await until(() => gate.waiting() === 2, { what: 'two at the node' });
  assert.equal(await chat(router, bearer), '429 rate_limit_exceeded');
  gate.release();
  assert.deepEqual(await Promise.all(open), ['200', '200']);
  await router.settled(3);
  assert.equal(await chat(router, bearer), '200', 'what has ended no longer counts');
});

test('when a key is revoked its waiters are refused, its running streams finish, and new requests are unknown', async () => {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'));
    resolve(reply);
  });
  const fleet = [{ url: node.url, slots: 1 }];
  await using router = await startDataPlane(fleet, required, keys());
  const stream = await router.chat({ stream: true }, { headers: bearer });
  const waiting = chat(router, bearer);
  await until(() => router.plane.gauges().waiters === 1, { what: 'a waiter' });
  router.publish(fleet, { keys: new Map() });
  assert.equal(await waiting, '401 invalid_api_key');
  assert.equal(await chat(router, bearer), '401 invalid_api_key');
  const reply = await promise;
  reply.response.end(`${finishEvent()}data: [DONE]\n\n`);
  assert.ok((await stream.text()).endsWith('data: [DONE]\n\n'));
  const settlements = await router.settled(3);
  const told = settlements.map(({ outcome, code }) => `${outcome} ${code}`);
  assert.deepEqual(told, ['rejected invalid_api_key', 'rejected invalid_api_key', 'served null']);
});

test('a key revoked with abort ends what runs under it, within the stream', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'));
  });
  await using router = await startDataPlane([{ url: node.url }], required, keys());
  const stream = await router.chat({ stream: true }, { headers: bearer });
  router.plane.abortKey('key-1');
  const text = await stream.text();
  assert.match(text, /"code":"stream_interrupted"\}\}\n\n$/);
  assert.equal(text.includes('[DONE]'), false);
  await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'interrupted');
  assert.equal(router.plane.gauges().nodes[0]?.breaker, 'closed');
});

test('X-Forwarded-For is believed only from trusted proxies', async () => {
  await using node = await scriptedNode();
  const headers = { 'x-forwarded-for': '1.2.3.4, 203.0.113.9' };
  await using closed = await startDataPlane([{ url: node.url }]);
  await chat(closed, headers);
  assert.equal((await closed.settled(1))[0]?.address, '127.0.0.1');
  await using open = await startDataPlane([{ url: node.url }], { auth: { trustedProxies: ['127.0.0.0/8'] } });
  await chat(open, headers);
  assert.equal((await open.settled(1))[0]?.address, '203.0.113.9');
});
