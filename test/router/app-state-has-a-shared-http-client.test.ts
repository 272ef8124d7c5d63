import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolOf } from '../../src/data-plane/attempt/node-request.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';

test('AppState has a shared HTTP client', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('n', node.url)] });
  await router.settled;
  const { httpClient, dataPlane } = router.app;
  assert.equal(dataPlane.httpClient, httpClient);
});

test('what the requests of every dialect use is that client: its pool reuses one socket for all of them', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('n', node.url)] });
  await router.settled;
  const { httpClient, dataPlane } = router.app;
  const [registered] = dataPlane.snapshot.nodes;
  assert.ok(registered);
  assert.equal(httpClient.sockets(poolOf(registered)).opened, 0);
  for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/embeddings']) {
    const response = await fetch(router.url + path, {
      method: 'POST',
      body: JSON.stringify({ model: 'llama3', prompt: 'x', input: 'x', messages: [] }),
    });
    await response.text();
    assert.equal(response.status, 200);
  }
  assert.deepEqual(httpClient.sockets(poolOf(registered)), { idle: 1, busy: 0, opened: 1 });
});
