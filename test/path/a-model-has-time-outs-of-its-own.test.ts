import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozen } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

test('a model’s own first-byte time-out goes before the general one', async () => {
  await using node = await scriptedNode(frozen);
  await using weir = await startDataPlane([{ url: node.url, models: { 'big:latest': 'big' } }], {
    timeouts: { firstByteMs: 60_000 },
    modelTimeouts: { big: { firstByteMs: 30 } },
  });
  const response = await weir.chat({ model: 'big' });
  assert.equal(response.status, 504);
  assert.match(await response.text(), /upstream_timeout/);
  await weir.settled(1);
});
