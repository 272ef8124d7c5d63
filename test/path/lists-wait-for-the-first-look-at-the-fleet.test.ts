import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

test('models are not denied before the fleet has been looked at', async () => {
  await using node = await scriptedNode();
  await using fresh = await startDataPlane([], {}, { settled: false });
  const list = fetch(`${fresh.url}/v1/models`);
  const one = fetch(`${fresh.url}/v1/models/llama3`);
  // Both are being answered when the node turns up.
  await fetch(`${fresh.url}/healthz`);
  fresh.publish([{ url: node.url }]);
  assert.match(await (await list).text(), /"id":"llama3"/);
  assert.equal((await one).status, 200);
});
