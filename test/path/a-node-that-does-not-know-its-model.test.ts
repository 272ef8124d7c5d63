import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

const unknown = status(404, {}, 'The model `llama3` does not exist.');

test('a node that says 404 for a model it lists gets under 2 % of the requests, and no client sees it', async () => {
  await using lost = await scriptedNode(unknown);
  await using sound = await scriptedNode();
  await using weir = await startDataPlane([{ url: lost.url }, { url: sound.url }], { timeouts: { shutdownMs: 0 } });
  const client = async (): Promise<void> => {
    for (let sent = 0; sent < 50; sent++) {
      const response = await weir.chat();
      assert.equal(response.status, 200);
      await response.text();
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  assert.ok(lost.count('/v1/chat/completions') <= 8, `${lost.count('/v1/chat/completions')} of 400`);
});

test('where every node says 404 the client is told so, at once and each time', async () => {
  await using first = await scriptedNode(unknown);
  await using second = await scriptedNode(unknown);
  await using weir = await startDataPlane([{ url: first.url }, { url: second.url }]);
  for (let sent = 0; sent < 5; sent++) {
    const response = await weir.chat();
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('x-should-retry'), 'false');
    assert.match(await response.text(), /model_not_found/);
  }
  assert.equal(first.count('/v1/chat/completions'), 1);
});
