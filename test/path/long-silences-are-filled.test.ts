import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { post, rawClient } from '../support/raw-client.ts';
import { chat, chatStream, completion, held, inTurn, status } from '../support/scripted-answers.ts';
import { scriptedNode, type ScriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const streamed = '{"model":"llama3","stream":true}';
const GRACE_MS = 15_000;

/** A router whose only slot is taken until `release` is called. */
async function busy(
  node: ScriptedNode,
  clock: ManualClock,
  overrides: Parameters<typeof startDataPlane>[1] = {},
): Promise<TestDataPlane> {
  const router = await startDataPlane([{ url: node.url, slots: 1 }], overrides, { clock });
  // Cut off at the end of some tests.
  router.chat().then(
    (answer) => answer.text(),
    () => undefined,
  );
  await until(() => router.plane.gauges().openLeases === 1, { what: 'the slot to be taken' });
  return router;
}

async function waits(router: TestDataPlane, count = 1): Promise<void> {
  await until(() => router.plane.gauges().waiters === count, { what: `${count} waiters` });
}

test('a waiting stream hears a comment after the grace time and again after as long, then its answer', async () => {
  const clock = new ManualClock();
  const gate = held();
  await using node = await scriptedNode(inTurn(gate.answer, chat));
  await using router = await busy(node, clock, { queue: { timeoutMs: 100_000 } });
  using client = rawClient(router.url);
  client.send(post('/v1/chat/completions', streamed));
  await waits(router);
  clock.advance(GRACE_MS - 1);
  assert.equal(client.received(), '', 'until then the real status stays possible');
  clock.advance(1);
  await client.sees(
    /^HTTP\/1\.1 200 OK\r\n[^]*content-type: text\/event-stream[^]*: waited 15000 ms, position 1[^\n]*\n\n/,
  );
  clock.advance(GRACE_MS);
  await client.sees(': waited 30000 ms, position 1');
  gate.release();
  await client.sees('data: [DONE]');
  assert.equal(client.received().split('HTTP/1.1').length, 2, 'one head');
  await router.settled(2);
  assert.deepEqual(
    router.settlements.map(({ outcome, status: told }) => [outcome, told]),
    [
      ['served', 200],
      ['served', 200],
    ],
  );
});

test('each dialect is kept open in a form that its clients pass over', async () => {
  const kept = [
    ['/v1/messages', /: waited 15000 ms\n\nevent: ping\ndata: \{"type": "ping"\}\n\n/],
    ['/v1/responses', /content-type: text\/event-stream[^]*: waited 15000 ms\n\n/],
    ['/api/chat', /content-type: application\/x-ndjson[^]*\r\n1\r\n \r\n$/],
  ] as const;
  for (const [path, expected] of kept) {
    const clock = new ManualClock();
    await using node = await scriptedNode(() => undefined);
    await using router = await startDataPlane([{ url: node.url, engine: 'ollama' }], {}, { clock });
    using client = rawClient(router.url);
    client.send(post(path, streamed));
    await until(() => node.count(path) === 1, { what: 'the node to be asked' });
    clock.advance(GRACE_MS);
    await client.sees(expected);
  }
});

test('a refusal after a comment is an error event without an end marker', async () => {
  const clock = new ManualClock();
  await using node = await scriptedNode(() => undefined);
  await using router = await busy(node, clock, { queue: { timeoutMs: 20_000 } });
  using client = rawClient(router.url);
  client.send(post('/v1/chat/completions', streamed));
  await waits(router);
  clock.advance(GRACE_MS);
  await client.sees(': waited');
  clock.advance(5_000);
  await client.sees(/data: \{"error":\{[^\n]*"code":"wait_timeout"[^\n]*\}\n\n\r\n0\r\n\r\n$/);
  assert.doesNotMatch(client.received(), /\[DONE\]/);
  router.plane.settlements.flush();
  const [settled] = router.settlements;
  assert.deepEqual([settled?.outcome, settled?.status, settled?.code], ['timed-out', 504, 'wait_timeout']);
});

test('a comment is no beginning: a node that fails after it is followed by another', async () => {
  const clock = new ManualClock();
  const gate = held(status(500));
  await using node = await scriptedNode(inTurn(gate.answer, chatStream(['second', ' node'])));
  await using router = await startDataPlane([{ url: node.url }, { url: node.url }], {}, { clock });
  using client = rawClient(router.url);
  client.send(post('/v1/chat/completions', streamed));
  await until(() => gate.waiting() === 1, { what: 'the first node' });
  clock.advance(GRACE_MS);
  await client.sees(': waited');
  gate.release();
  await client.sees('second');
  await client.sees('data: [DONE]');
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.attempts.length], ['served', 2]);
});

test("a node's own refusal after a comment is told in the stream, without its address", async () => {
  const clock = new ManualClock();
  const gate = held((request, reply) => {
    reply.json(400, { error: { message: `too long for http://${request.headers.host ?? ''}/`, type: 'x' } });
  });
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url }], {}, { clock });
  using client = rawClient(router.url);
  client.send(post('/v1/chat/completions', streamed));
  await until(() => gate.waiting() === 1, { what: 'the node' });
  clock.advance(GRACE_MS);
  await client.sees(': waited');
  gate.release();
  await client.sees(/data: \{"error":\{"message":"too long for [^\n]*"code":"request_rejected"\}\}\n\n\r\n0\r\n\r\n$/);
  assert.equal(client.received().includes(String(node.port)), false);
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.code, 'request_rejected');
});

test('an answer that is no stream has nothing that could keep it open', async () => {
  const clock = new ManualClock();
  const gate = held((_request, reply) => reply.json(200, completion('late')));
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url, engine: 'ollama' }], {}, { clock });
  for (const [path, body] of [
    ['/v1/chat/completions', '{"model":"llama3"}'],
    ['/api/embed', '{"model":"llama3","input":"x"}'],
  ] as const) {
    using client = rawClient(router.url);
    client.send(post(path, body));
    await until(() => node.count(path) === 1, { what: 'the node to be asked' });
    clock.advance(GRACE_MS * 3);
    await fetch(`${router.url}/healthz`);
    assert.equal(client.received(), '', path);
  }
  gate.release();
  await router.settled(2);
});

test('it can be switched off', async () => {
  const clock = new ManualClock();
  await using node = await scriptedNode(() => undefined);
  await using router = await startDataPlane([{ url: node.url }], { timeouts: { keepAliveMs: 0 } }, { clock });
  using client = rawClient(router.url);
  client.send(post('/v1/chat/completions', streamed));
  await until(() => node.requests.length === 1, { what: 'the node to be asked' });
  clock.advance(GRACE_MS * 3);
  await fetch(`${router.url}/healthz`);
  assert.equal(client.received(), '');
});

test('a client that leaves while it is kept waiting leaves nothing behind', async () => {
  const clock = new ManualClock();
  await using node = await scriptedNode(() => undefined);
  await using router = await busy(node, clock);
  const client = rawClient(router.url);
  client.send(post('/v1/chat/completions', streamed));
  await waits(router);
  clock.advance(GRACE_MS);
  await client.sees(': waited');
  client.socket.destroy();
  await waits(router, 0);
  const [settlement] = router.settlements;
  router.plane.settlements.flush();
  assert.equal((settlement ?? router.settlements[0])?.outcome, 'gone');
});
