import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

test('a chat goes to a node and comes back, whole and streamed', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const whole = await router.chat();
  assert.equal(whole.status, 200);
  assert.match(await whole.text(), /Hello from a node/);
  assert.match(whole.headers.get('x-request-id') ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  const stream = await router.chat({ stream: true });
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  assert.ok((await stream.text()).endsWith('data: [DONE]\n\n'));
  const [first, second] = await router.settled(2);
  assert.equal(first?.id, whole.headers.get('x-request-id'));
  assert.deepEqual([first?.outcome, first?.status, first?.code, first?.stream], ['served', 200, null, false]);
  assert.deepEqual(first?.usage, { promptTokens: 5, completionTokens: 4, cachedTokens: null, estimated: false });
  assert.deepEqual([second?.outcome, second?.stream, second?.usage?.completionTokens], ['served', true, 4]);
  assert.equal(node.requests[0]?.headers['x-request-id'], first?.id, 'the node is told the same id');
});
