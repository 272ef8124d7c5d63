import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, frozen, held, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { post, postHead, rawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const path = '/v1/chat/completions';
const whole = JSON.stringify({ model: 'llama3' });
const streamed = JSON.stringify({ model: 'llama3', stream: true });

async function assertGone(router: TestDataPlane, attempts: number): Promise<void> {
  const [settlement] = await router.settled(1);
  assert.deepEqual(
    [settlement?.outcome, settlement?.status, settlement?.code, settlement?.attempts.length],
    ['gone', 499, null, attempts],
  );
  if (attempts > 0) assert.equal(settlement?.attempts[0]?.end, 'client-gone');
  assert.equal(router.plane.gauges().nodes[0]?.breaker, 'closed', 'nothing is held against the node');
}

const oneEvent: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.write(deltaEvent('one'));
};

for (const [when, body, answer] of [
  ['before a whole answer', whole, frozen],
  ['before the first event of a stream', streamed, frozen],
] as const) {
  test(`a client that leaves ${when} takes its request to the node with it`, async () => {
    await using node = await scriptedNode(answer);
    await using router = await startDataPlane([{ url: node.url }]);
    const client = rawClient(router.url);
    client.send(post(path, body));
    await until(() => node.requests.length === 1, { what: 'the request at the node' });
    client.socket.destroy();
    await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
    await assertGone(router, 1);
  });
}

test('a client that leaves in the middle of a stream takes its request to the node with it', async () => {
  await using node = await scriptedNode(oneEvent);
  await using router = await startDataPlane([{ url: node.url }]);
  const client = rawClient(router.url);
  client.send(post(path, streamed));
  await client.sees(deltaEvent('one'));
  client.socket.destroy();
  await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
  await assertGone(router, 1);
});

test('a client that half-closes after its request still gets its answer', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.send(post(path, whole, ['connection: close']));
  await until(() => gate.waiting() === 1, { what: 'the request at the node' });
  gate.release();
  await client.sees('Hello from a node');
  await client.closed();
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'served');
});

test('a client that leaves while it waits leaves the waiting room at once', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }]);
  const first = router.chat();
  await until(() => gate.waiting() === 1, { what: 'the first at the node' });
  const client = rawClient(router.url);
  client.send(post(path, whole));
  await until(() => router.plane.gauges().waiters === 1, { what: 'the second to wait' });
  assert.ok(router.plane.gauges().waitingBytes > 0);
  client.socket.destroy();
  await until(() => router.plane.gauges().waiters === 0, { what: 'the waiting room to be empty' });
  gate.release();
  assert.equal((await first).status, 200);
  const settlements = await router.settled(2);
  const gone = settlements.find(({ outcome }) => outcome === 'gone');
  assert.deepEqual([gone?.status, gone?.attempts.length], [499, 0]);
  assert.notEqual(gone?.waitMs, null);
  assert.equal(node.requests.length, 1);
});

const pieces: [string, string][] = [
  ['content-length: 1000', '{"model":'],
  ['transfer-encoding: chunked', '5\r\n{"m'],
  ['transfer-encoding: chunked', '5\r\n{"mod\r\n'],
  ['transfer-encoding: chunked', '5'],
];

for (const how of ['destroy', 'resetAndDestroy', 'end'] as const) {
  test(`a client that leaves by ${how} while its body is read is settled as gone`, async () => {
    await using node = await scriptedNode();
    await using router = await startDataPlane([{ url: node.url }]);
    for (const [framing, piece] of pieces) {
      const client = rawClient(router.url);
      client.send(`${postHead(path, [framing])}${piece}`);
      await until(() => router.plane.gauges().openRequests === 1, { what: 'the request to be open' });
      client.socket[how]();
      await until(() => router.plane.gauges().openRequests === 0, { what: 'the request to be settled' });
      await client.closed();
      assert.equal(client.received(), '');
    }
    for (const { outcome, status, code, attempts } of await router.settled(pieces.length)) {
      assert.deepEqual([outcome, status, code, attempts.length], ['gone', 499, null, 0]);
    }
    assert.equal(node.requests.length, 0);
  });
}

test('a client that leaves before it took its whole answer was not served', async () => {
  const text = JSON.stringify({ choices: [], padding: 'x'.repeat(240_000) });
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'application/json' });
    reply.response.end(text);
  });
  await using router = await startDataPlane([{ url: node.url }], { timeouts: { betweenBytesMs: 200 } });
  const client = rawClient(router.url);
  client.socket.pause();
  // Answers that are pipelined and not read fill the sockets' buffers.
  for (let sent = 0; sent < 60; sent += 1) client.send(post(path, whole));
  const settlements = await router.settled(60);
  assert.ok(settlements.some(({ outcome }) => outcome === 'gone'));
  assert.ok(client.socket.bytesRead < 60 * text.length);
  client.socket.destroy();
});
