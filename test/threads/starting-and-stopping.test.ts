import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, deltaEvent, finishEvent, type Reply } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { startThreads, textOf } from '../support/relay-threads.ts';
import { until } from '../support/until.ts';

test('while a router stops, every thread finishes its streams and refuses what comes, and nothing is lost', async () => {
  const streams: Reply[] = [];
  await using node = await scriptedNode((_request, reply) => {
    streams.push(reply);
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'));
  });
  await using router = await startThreads(2, { nodes: [nodeSettings('n', node.url, { maxConcurrent: 2 })] });
  await router.settled;
  const [main, worker, waiting] = [await router.clientOn(0), await router.clientOn(1), await router.clientOn(1)];
  const running = [await main.stream(), await worker.stream()];
  const waiter = waiting.chat();
  await until(async () => (await router.gauges()).waiters === 1, { what: 'a waiter' });
  let isStopped = false;
  const stopped = (async () => {
    await router.app.stop();
    isStopped = true;
  })();
  const refused = await waiter;
  assert.deepEqual([refused.status, refused.headers.connection], [503, 'close']);
  assert.match(refused.text, /"draining"/);
  for (const thread of [0, 1]) {
    const late = await router.clientOn(thread);
    assert.equal((await late.get('/readyz')).status, 503);
    assert.match((await late.chat()).text, /"draining"/);
    late.close();
  }
  assert.equal(isStopped, false);
  for (const reply of streams) reply.response.end(`${finishEvent()}data: [DONE]\n\n`);
  for (const stream of running) assert.match(await textOf(stream), /\[DONE\]\n\n$/);
  await stopped;
  await assert.rejects(fetch(router.url));
});

test('a crash of the control plane is not noticed on any thread, and what happened meanwhile is told afterwards', async () => {
  await using node = await scriptedNode(chat);
  await using router = await startThreads(2, { nodes: [nodeSettings('n', node.url)] });
  await router.settled;
  const clients = [await router.clientOn(0), await router.clientOn(1)];
  await router.app.controlPlane.crash();
  for (const client of clients) assert.equal((await client.chat()).status, 200);
  await until(async () => (await router.admin('/api/nodes').catch(() => null))?.status === 200, {
    what: 'the admin API',
  });
  await until(async () => (await router.adminList('/api/requests')).length === 2, { what: 'both in the history' });
  // The new control plane's word reaches every thread.
  const other = await scriptedNode({ models: ['other'] });
  const body = JSON.stringify({ name: 'other', url: other.url });
  assert.equal((await router.admin('/api/nodes', { method: 'POST', body })).status, 201);
  for (const client of clients) assert.equal((await client.chat({ model: 'other' })).status, 200);
  await router.quiet();
  for (const client of clients) client.close();
  await other.close();
});

test('a failed attempt on another thread is retried and paid for as on the main one', async () => {
  await using broken = await scriptedNode((_request, reply) => reply.reset());
  await using sound = await scriptedNode(chat);
  const nodes = [nodeSettings('broken', broken.url), nodeSettings('sound', sound.url)];
  await using router = await startThreads(2, { nodes });
  await router.settled;
  const worker = await router.clientOn(1);
  for (let sent = 0; sent < 8; sent += 1) assert.equal((await worker.chat()).status, 200);
  assert.ok(broken.count('/v1/chat/completions') > 0);
  await sound.close();
  const failed = await worker.chat();
  assert.ok([502, 503].includes(failed.status), String(failed.status));
  await router.quiet();
  worker.close();
});

test('a port that another router listens on is not shared with it by mistake', async () => {
  await using router = await startThreads(2);
  const listen = { host: '127.0.0.1', port: Number(new URL(router.url).port) };
  await assert.rejects(startRouter({ listen, threads: 2 }), /is in use by another program.*--listen/);
});
