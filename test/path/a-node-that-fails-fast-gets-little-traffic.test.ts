import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

const REQUESTS = 400;

for (const [what, answer] of [
  ['answers 500 to everything', status(500)],
  ['closes every connection', (_request, reply) => reply.reset()],
] as const satisfies readonly (readonly [string, Parameters<typeof scriptedNode>[0]])[]) {
  test(`a node that ${what} at once gets under 2 % of the requests, and no client sees it`, async () => {
    await using broken = await scriptedNode(answer);
    await using first = await scriptedNode();
    await using second = await scriptedNode();
    await using weir = await startDataPlane([{ url: broken.url }, { url: first.url }, { url: second.url }]);
    for (let sent = 0; sent < REQUESTS; sent++) {
      const response = await weir.chat();
      assert.equal(response.status, 200);
      await response.text();
    }
    assert.ok(
      broken.count('/v1/chat/completions') < REQUESTS * 0.02,
      `${broken.count('/v1/chat/completions')} of ${REQUESTS}`,
    );
  });
}
