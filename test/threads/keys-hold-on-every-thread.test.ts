import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, finishEvent, held, type Reply } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings } from '../support/start-router.ts';
import { startThreads, textOf, type ThreadedRouter } from '../support/relay-threads.ts';
import { until } from '../support/until.ts';

async function newKey(router: ThreadedRouter, limits: object): Promise<{ id: string; bearer: Record<string, string> }> {
  const body = JSON.stringify({ label: 'team', ...limits });
  const made = Object(await router.adminJson('/api/keys', { method: 'POST', body }));
  return {
    id: String(Reflect.get(made, 'id')),
    bearer: { authorization: `Bearer ${String(Reflect.get(made, 'key'))}` },
  };
}

test('a key’s requests at once and per minute are counted over all threads', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startThreads(2, { nodes: [nodeSettings('n', node.url)] });
  await router.settled;
  const few = await newKey(router, { maxConcurrent: 2 });
  const clients = [
    await router.clientOn(0),
    await router.clientOn(1),
    await router.clientOn(0),
    await router.clientOn(1),
  ];
  const open = clients.slice(0, 2).map((client) => client.chat({}, few.bearer));
  await until(() => gate.waiting() === 2, { what: 'one from each thread at the node' });
  for (const client of clients.slice(2)) assert.equal((await client.chat({}, few.bearer)).status, 429);
  gate.release();
  for (const answer of await Promise.all(open)) assert.equal(answer.status, 200);
  await router.quiet();
  for (const client of clients.slice(2)) assert.equal((await client.chat({}, few.bearer)).status, 200);

  const slow = await newKey(router, { ratePerMinute: 3 });
  const statuses: (number | undefined)[] = [];
  for (const client of clients) statuses.push((await client.chat({}, slow.bearer)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  for (const client of clients) client.close();
});

test('a key made is known, and a key revoked is unknown, to every thread once the admin API has answered', async () => {
  const streams: Reply[] = [];
  await using node = await scriptedNode((_request, reply) => {
    streams.push(reply);
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'));
  });
  const nodes = [nodeSettings('n', node.url, { maxConcurrent: 1 })];
  await using router = await startThreads(3, { nodes, auth: { clients: 'required' } });
  await router.settled;
  const clients = [await router.clientOn(0), await router.clientOn(1), await router.clientOn(2)];
  const [first, second, third] = clients;
  const key = await newKey(router, {});
  const running = await second?.stream(key.bearer);
  const waiting = third?.chat({}, key.bearer);
  await until(async () => (await router.gauges()).waiters === 1, { what: 'a waiter' });
  assert.equal((await router.admin(`/api/keys/${key.id}`, { method: 'DELETE' })).status, 204);
  const again = [await router.clientOn(0), await router.clientOn(1), await router.clientOn(2)];
  for (const client of again) assert.equal((await client.chat({}, key.bearer)).status, 401);
  assert.equal((await waiting)?.status, 401, 'who waits under it is refused');
  streams[0]?.response.end(`${finishEvent()}data: [DONE]\n\n`);
  assert.ok(running);
  assert.match(await textOf(running), /\[DONE\]\n\n$/, 'what runs under it goes on');

  const other = await newKey(router, {});
  const cut = await second?.stream(other.bearer);
  assert.equal((await router.admin(`/api/keys/${other.id}?abort=true`, { method: 'DELETE' })).status, 204);
  assert.ok(cut);
  assert.match(await textOf(cut), /"stream_interrupted"/);
  await router.quiet();
  for (const client of [first, ...clients, ...again]) client?.close();
});
