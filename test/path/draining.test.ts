import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, finishEvent, held, type Reply, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { lastAnswer, post, postHead, rawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

/** A node whose streams go on after the first event only when the test says so. */
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

test('a stopping router says so first, answers who waits, refuses who comes, and lets running streams finish', async () => {
  const { answer, reply } = openStream();
  await using node = await scriptedNode(answer);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }]);
  const stream = await router.chat({ stream: true });
  const waiter = router.chat();
  await until(() => router.plane.gauges().waiters === 1, { what: 'a waiter' });
  let isDrained = false;
  const drained = (async () => {
    await router.plane.drain(60_000);
    isDrained = true;
  })();
  const ready = await fetch(`${router.url}/readyz`);
  assert.deepEqual([ready.status, await ready.text()], [503, '{"status":"draining"}']);
  assert.equal((await fetch(`${router.url}/healthz`)).status, 200, 'it is still alive');
  for (const response of [await waiter, await router.chat()]) {
    assert.equal(response.status, 503);
    assert.deepEqual([response.headers.get('connection'), response.headers.get('retry-after')], ['close', '1']);
    assert.match(await response.text(), /"type":"unavailable_error","param":null,"code":"draining"/);
  }
  assert.equal(isDrained, false);
  (await reply).response.end(`${finishEvent()}data: [DONE]\n\n`);
  assert.ok((await stream.text()).endsWith('data: [DONE]\n\n'));
  await drained;
  const told = (await router.settled(3)).map(({ outcome, code }) => `${outcome} ${code}`);
  assert.deepEqual(told, ['refused draining', 'refused draining', 'served null']);
});

test('a stop that takes too long cuts what still runs: streams with an error in them, the rest with 503', async () => {
  const stream = openStream();
  const gate = held();
  await using streaming = await scriptedNode(stream.answer);
  await using holding = await scriptedNode(gate.answer);
  await using router = await startDataPlane([
    { url: streaming.url, models: { a: 'a' } },
    { url: holding.url, models: { b: 'b' } },
  ]);
  const begun = await router.chat({ model: 'a', stream: true });
  const unbegun = router.chat({ model: 'b' });
  await until(() => gate.waiting() === 1, { what: 'the second at its node' });
  using reading = rawClient(router.url);
  reading.send(post('/v1/chat/completions', '{"model":"a"}').slice(0, -5));
  await until(() => router.plane.gauges().openRequests === 3, { what: 'the third to be read' });
  const drained = router.plane.drain(50);
  const text = await begun.text();
  assert.match(text, /"code":"stream_interrupted"\}\}\n\n$/);
  assert.equal(text.includes('[DONE]'), false);
  const response = await unbegun;
  assert.equal(response.status, 503);
  assert.match(await response.text(), /"code":"draining"/);
  await reading.sees('"code":"draining"');
  await drained;
  await until(() => streaming.sockets().open + holding.sockets().open === 0, { what: 'the nodes to be let go' });
  const told = (await router.settled(3)).map(({ outcome, code }) => `${outcome} ${code}`);
  assert.deepEqual(told.toSorted(), ['failed draining', 'interrupted stream_interrupted', 'refused draining']);
});

test('a stopping router does not wait for the rest of a body', async () => {
  await using router = await startDataPlane([]);
  using declared = rawClient(router.url);
  using chunked = rawClient(router.url);
  declared.send(post('/v1/chat/completions', '{"model":"a"}').slice(0, -5));
  chunked.send(`${postHead('/v1/chat/completions', ['transfer-encoding: chunked'])}5\r\n{"mod\r\n`);
  await until(() => router.plane.gauges().openRequests === 2, { what: 'both to be read' });
  const drained = router.plane.drain(60_000);
  for (const client of [declared, chunked]) {
    await client.sees('"code":"draining"');
    const { status, headers } = lastAnswer(client.received());
    assert.deepEqual([status, headers.get('connection'), headers.get('retry-after')], [503, 'close', '1']);
  }
  await drained;
  const told = (await router.settled(2)).map(({ outcome, status, code }) => `${outcome} ${status} ${code}`);
  assert.deepEqual(told, ['refused 503 draining', 'refused 503 draining']);
});

test('a router with nothing open is drained at once, however often it is asked', async () => {
  await using router = await startDataPlane([]);
  await Promise.all([router.plane.drain(60_000), router.plane.drain(60_000)]);
});
