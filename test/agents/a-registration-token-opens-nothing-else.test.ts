import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newToken, nodeIs } from '../support/agent-fleet.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { quickAgents, startAgent } from '../support/start-agent.ts';
import { startRouter } from '../support/start-router.ts';

test('a stolen token reads nothing, and once it is revoked its agent ends and what its tunnel carried is cut', async () => {
  const asked = Promise.withResolvers<void>();
  await using engine = await scriptedNode({
    models: ['m'],
    answer: (_request, reply) => {
      reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.response.write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');
      asked.resolve();
    },
  });
  await using router = await startRouter({
    agents: quickAgents,
    auth: { clients: 'required' },
    queue: { timeoutMs: 300 },
  });
  const made = await router.admin('/api/keys', { method: 'POST', body: '{"label":"client"}' });
  const { key } = Object(await made.json());
  const { token, id } = await newToken(router);
  await using agent = startAgent({
    router: router.agentsUrl,
    token,
    engine: engine.url,
    name: 'n',
    flags: ['--tunnel'],
  });
  await nodeIs(router, 'n', 'ready');

  const stolen = { authorization: `Bearer ${token}`, 'x-weir-agent': 'somebody-who-stole-a-token' };
  for (const path of ['/api/nodes', '/api/keys', '/api/requests', '/api/logs', '/api/tokens', '/metrics']) {
    assert.equal((await fetch(router.adminUrl + path, { headers: stolen })).status, 403, path);
  }
  assert.equal((await fetch(`${router.url}/v1/models`, { headers: stolen })).status, 401);
  for (const path of ['/agent/heartbeat', '/agent/register', '/agent/nodes', '/api/nodes']) {
    const answer = await fetch(router.agentsUrl + path, { method: 'POST', headers: stolen, body: '{}' });
    const text = await answer.text();
    assert.ok(answer.status >= 400 && !text.includes(new URL(engine.url).host), `${path}: ${answer.status} ${text}`);
  }
  // The name of a node that is there is not the node.
  const body = JSON.stringify({ name: 'n', url: 'http://127.0.0.1:9' });
  const asOther = await fetch(`${router.agentsUrl}/agent/register`, { method: 'POST', headers: stolen, body });
  assert.equal(asOther.status, 409);

  const stream = router.chat({ model: 'm', stream: true }, { headers: { authorization: `Bearer ${key}` } });
  await asked.promise;
  const revoked = await router.admin(`/api/tokens/${id}`, { method: 'DELETE' });
  assert.equal(revoked.status, 204);
  assert.equal((await nodeIs(router, 'n', 'offline')).agent?.tunnel, 'closed');
  assert.match(await (await stream).text(), /stream_interrupted/);
  assert.equal(await agent.ended(), 4);
  assert.match(agent.output(), /refused this agent: The registration token is not known, or was revoked/);
  assert.equal((await router.chat({ model: 'm' }, { headers: { authorization: `Bearer ${key}` } })).status, 503);
});
