import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { chat } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings } from '../support/start-router.ts';
import { startThreads, type ThreadClient } from '../support/relay-threads.ts';

test('a crowd on three threads fills the slots of its nodes and never exceeds them, and everything is counted once', async () => {
  const most: number[] = [];
  const counting = (index: number) => {
    let running = 0;
    return scriptedNode(async (request, reply) => {
      running += 1;
      most[index] = Math.max(most[index] ?? 0, running);
      await delay(2);
      running -= 1;
      await chat(request, reply);
    });
  };
  await using small = await counting(0);
  await using large = await counting(1);
  const nodes = [
    nodeSettings('small', small.url, { maxConcurrent: 2 }),
    nodeSettings('large', large.url, { maxConcurrent: 5 }),
  ];
  await using router = await startThreads(3, { nodes });
  await router.settled;
  const clients: ThreadClient[] = [];
  for (let at = 0; at < 24; at += 1) clients.push(await router.clientOn(at % 3));
  await Promise.all(
    clients.map(async (client) => {
      for (let sent = 0; sent < 15; sent += 1) assert.equal((await client.chat()).status, 200);
    }),
  );
  assert.deepEqual(most, [2, 5]);
  await router.quiet();
  const metrics = await (await router.admin('/metrics')).text();
  assert.match(metrics, /^weir_requests_total\{model="llama3",outcome="served"\} 360$/m);
  assert.match(metrics, /^weir_open_leases 0$/m);
  for (const client of clients) client.close();
});
