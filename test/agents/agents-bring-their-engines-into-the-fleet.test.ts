import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newToken, nodeIs, offered } from '../support/agent-fleet.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { quickAgents, startAgent } from '../support/start-agent.ts';
import { startRouter } from '../support/start-router.ts';

test('two agents, one with a tunnel: requests reach both engines, and one that is killed is offline within the time-out and comes back as itself', async () => {
  await using direct = await scriptedNode({ models: ['a'] });
  await using hidden = await scriptedNode({ models: ['b'] });
  await using router = await startRouter({ agents: quickAgents, health: { intervalMs: 500 } });
  const { token } = await newToken(router);
  const common = { router: router.agentsUrl, token };
  await using first = startAgent({ ...common, engine: direct.url, name: 'first' });
  await using second = startAgent({ ...common, engine: hidden.url, name: 'second', flags: ['--tunnel', '--tag', 'x'] });
  await first.says(/registered .*: ready/);
  await second.says(/the tunnel is open/);
  const { id: firstId } = await nodeIs(router, 'first', 'ready');
  const { id, agent } = await nodeIs(router, 'second', 'ready');
  assert.equal(agent?.tunnel, 'open');
  await second.says(/in touch/);
  for (const model of ['a', 'b']) {
    await offered(router.url, model);
    assert.equal((await router.chat({ model })).status, 200);
  }
  assert.deepEqual([direct.count('/v1/chat/completions'), hidden.count('/v1/chat/completions')], [1, 1]);

  second.kill();
  first.kill();
  const [gone] = await Promise.all([nodeIs(router, 'first', 'offline'), nodeIs(router, 'second', 'offline')]);
  assert.match(gone.detail ?? '', /agent has been silent/, 'though its engine answers');
  await Promise.all([first.ended(), second.ended()]);

  await using again = startAgent({
    ...common,
    engine: hidden.url,
    name: 'other-name',
    dataDir: second.dataDir,
    flags: ['--tunnel'],
  });
  assert.equal((await nodeIs(router, 'other-name', 'ready')).id, id);
  assert.equal((await router.chat({ model: 'b' })).status, 200);
  again.kill('SIGTERM');
  assert.equal(await again.ended(), 0);
  await using moved = startAgent({ ...common, engine: hidden.url, name: 'first', dataDir: first.dataDir });
  const now = await nodeIs(router, 'first', 'ready');
  assert.deepEqual([now.id, now.url], [firstId, hidden.url], 'at another address');
  moved.kill();
});
