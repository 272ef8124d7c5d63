import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, deltaEvent, finishEvent, type Reply, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings } from '../support/start-router.ts';
import { startThreads, textOf } from '../support/relay-threads.ts';
import { until } from '../support/until.ts';

test('a relay thread that dies takes only its own connections; its slots, waiters and limits are given back, and it is replaced', async () => {
  const streams: Reply[] = [];
  const answer: Scripted = (request, reply) => {
    if (!/"stream":true/.test(request.body.toString())) return chat(request, reply);
    streams.push(reply);
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('before'));
  };
  await using node = await scriptedNode(answer);
  await using router = await startThreads(2, { nodes: [nodeSettings('n', node.url, { maxConcurrent: 2 })] });
  await router.settled;
  const made = await router.adminJson('/api/keys', {
    method: 'POST',
    body: JSON.stringify({ label: 'k', maxConcurrent: 2 }),
  });
  const secret = String(Reflect.get(Object(made), 'key'));
  const bearer = { authorization: `Bearer ${secret}` };
  const [main, doomed, waiting] = [await router.clientOn(0), await router.clientOn(1), await router.clientOn(1)];
  const spared = await main.stream();
  const cut = textOf(await doomed.stream(bearer));
  const never = waiting.chat({}, bearer).catch(() => 'broken');
  await until(async () => (await router.gauges()).waiters === 1, { what: 'a waiter on the thread' });
  assert.equal(
    (await (await router.clientOn(0)).chat({}, bearer)).status,
    429,
    'both of the key’s requests are on the other thread',
  );

  await router.threads.crash(1);
  assert.match(await cut, /before.*\[broken\]$/s);
  assert.equal(await never, 'broken');
  await streams[1]?.gone;
  await until(async () => (await router.gauges()).openLeases === 1, { what: 'the lease to be given back' });
  assert.equal((await router.gauges()).waiters, 0);
  // Its slot and the key's two places are free again, and its losses are counted.
  const second = await router.clientOn(0);
  assert.equal((await second.chat({}, bearer)).status, 200);

  streams[0]?.response.end(`${deltaEvent(' after')}${finishEvent()}data: [DONE]\n\n`);
  assert.match(await textOf(spared), /before.* after.*\[DONE\]\n\n$/s);
  await router.quiet();
  assert.equal((await router.gauges()).settlementsDropped, 2);

  const reborn = await router.clientOn(1);
  assert.equal((await reborn.chat({}, bearer)).status, 200);
  await router.quiet();
  const drops = /^weir_settlements_dropped_total 2$/m;
  assert.match(await (await router.admin('/metrics')).text(), drops);
  for (const client of [main, second, doomed, waiting, reborn]) client.close();
});
