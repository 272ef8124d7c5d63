import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { post, rawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const event = Buffer.from(deltaEvent('x'.repeat(60_000)));
const body = JSON.stringify({ model: 'llama3', stream: true });

/** Writes 200 MB as fast as they are taken, and counts what was. */
function flood(): { answer: Scripted; written: () => number } {
  let written = 0;
  return {
    written: () => written,
    answer: (_request, reply) => {
      reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = (): void => {
        while (written < 200_000_000 && !reply.response.destroyed) {
          written += event.length;
          if (!reply.response.write(event)) {
            reply.response.once('drain', more);
            return;
          }
        }
        reply.response.end('data: [DONE]\n\n');
      };
      more();
    },
  };
}

test('a client that does not read stalls the node and grows nothing, and is cut when it took nothing for long', async () => {
  const { answer, written } = flood();
  await using node = await scriptedNode(answer);
  await using router = await startDataPlane([{ url: node.url }], { timeouts: { betweenBytesMs: 700 } });
  const before = process.memoryUsage();
  using client = rawClient(router.url);
  client.socket.pause();
  client.send(post('/v1/chat/completions', body));
  let last = -1;
  await until(
    () => {
      const hasStalled = written() > 0 && written() === last;
      last = written();
      return hasStalled;
    },
    { what: 'the node to stall' },
  );
  const now = process.memoryUsage();
  // The node runs in this process too: both sides' buffers are in the numbers.
  assert.ok(
    now.arrayBuffers - before.arrayBuffers < 20_000_000,
    `${now.arrayBuffers - before.arrayBuffers} more bytes`,
  );
  assert.ok(written() < 40_000_000, `${written()} bytes were taken`);
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.attempts[0]?.end], ['gone', 'client-gone']);
  assert.equal(router.plane.gauges().nodes[0]?.breaker, 'closed');
  assert.ok((settlement?.responseBytes ?? Infinity) < 40_000_000);
  await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
});

test('a slow client gets all of a large stream, and the node is not blamed for the time it was paused', async () => {
  const events = 200;
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let sent = 0; sent < events; sent += 1) reply.response.write(event);
    reply.response.end('data: [DONE]\n\n');
  });
  await using router = await startDataPlane([{ url: node.url }], { timeouts: { betweenBytesMs: 250 } });
  const response = await router.chat({ stream: true });
  assert.ok(response.body);
  let bytes = 0;
  let pauses = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    // Longer in all than the node may be silent, never as long at once.
    if (bytes > pauses * 1_500_000 && pauses < 8) {
      pauses += 1;
      await new Promise((resolve) => {
        setTimeout(resolve, 90);
      });
    }
  }
  assert.equal(bytes, events * event.length + 'data: [DONE]\n\n'.length);
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'served');
  assert.equal(settlement.responseBytes, bytes);
});
