import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newToken, nodeIs, offered, shownNode } from '../support/agent-fleet.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { quickAgents, startAgent } from '../support/start-agent.ts';
import { startRouter } from '../support/start-router.ts';
import { startWeir, type Weir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

function adminOf(weir: Weir): Parameters<typeof nodeIs>[0] {
  return {
    admin: (path, init = {}) =>
      fetch(weir.adminUrl + path, { ...init, headers: { authorization: `Bearer ${weir.adminToken}` } }),
  };
}

async function ask(weir: Weir): Promise<number> {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
  const answer = await fetch(`${weir.url}/v1/chat/completions`, { method: 'POST', body });
  await answer.arrayBuffer();
  return answer.status;
}

test('after a router was killed and started again its agents are there again, as the same nodes, tunnels and all', async () => {
  await using engine = await scriptedNode({ models: ['m'] });
  const config = {
    dataDir: temporaryDirectory(),
    agents: { listen: '127.0.0.1:0', heartbeat: '200ms', timeout: '2s' },
    log: { level: 'error' },
  };
  const before = await startWeir(config);
  const agents = /^ *agents +(http:\S+)/m.exec(before.output())?.[1] ?? '';
  const { token } = await newToken(adminOf(before));
  const common = { router: agents, token, engine: engine.url };
  await using hidden = startAgent({ ...common, name: 'hidden', flags: ['--tunnel'] });
  await using open = startAgent({ ...common, name: 'open' });
  await open.says(/in touch/);
  await hidden.says(/in touch/);
  const { id } = await nodeIs(adminOf(before), 'hidden', 'ready');
  await offered(before.url, 'm');
  assert.equal(await ask(before), 200);
  before.kill();
  await hidden.says(/cannot be reached/);

  const { port } = new URL(agents);
  await until(() => before.process.exitCode !== null || before.process.signalCode !== null, {
    what: 'the router to end',
  });
  const after = await startWeir({ ...config, agents: { ...config.agents, listen: `127.0.0.1:${port}` } });
  try {
    const now = await nodeIs(adminOf(after), 'hidden', 'ready');
    assert.deepEqual([now.id, now.agent?.tunnel], [id, 'open']);
    await nodeIs(adminOf(after), 'open', 'ready');
    open.kill();
    await nodeIs(adminOf(after), 'open', 'offline');
    assert.equal(await ask(after), 200);
  } finally {
    assert.equal(await after.stop(), 0);
  }
});

test('a crash of the control plane leaves tunnels open, and the next one knows of them', async () => {
  await using engine = await scriptedNode({ models: ['m'] });
  await using router = await startRouter({ agents: quickAgents });
  const { token } = await newToken(router);
  await using agent = startAgent({
    router: router.agentsUrl,
    token,
    engine: engine.url,
    name: 'hidden',
    flags: ['--tunnel'],
  });
  const { id } = await nodeIs(router, 'hidden', 'ready');
  await agent.says(/in touch/);
  await offered(router.url, 'm');
  await router.app.controlPlane.crash();
  assert.equal((await router.chat({ model: 'm' })).status, 200);
  const reborn = await until(
    async () => {
      const node = await shownNode(router, 'hidden').catch(() => null);
      return node?.state === 'ready' && node.agent?.machine && node;
    },
    { what: 'the next control plane to hear of the agent', withinMs: 20_000 },
  );
  assert.deepEqual([reborn.id, reborn.agent?.tunnel], [id, 'open']);
  assert.doesNotMatch(agent.output(), /the tunnel broke/);
});
