import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestControlPlane, type TestControlPlane } from '../../test/support/control-plane.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { testSettings } from '../../test/support/settings.ts';
import { until } from '../../test/support/until.ts';
import type { AgentCall, AgentReply } from '../fleet/agent-messages.ts';
import type { DeepPartial } from '../../test/support/settings.ts';
import type { Settings } from '../fleet/settings.ts';

// The desk by the messages that the agents' listener sends it.

const agents = { listen: { host: '127.0.0.1', port: 0 }, tls: null, heartbeatMs: 10_000, timeoutMs: 30_000 };
const identity = 'the-identity-of-one-agent';
const beat = {
  machine: {
    hostname: 'gpu-1',
    system: 'linux',
    cpus: 4,
    cpuUse: 0.5,
    memoryBytes: 100,
    memoryUsedBytes: 40,
    gpus: [],
  },
  engine: { isReachable: true, kind: 'openai', version: '1' },
};

let question = 0;
async function call(plane: TestControlPlane, wanted: Partial<AgentCall>): Promise<AgentReply> {
  question += 1;
  const asked = question;
  const agentCall = { action: 'register', token: null, identity, peer: '127.0.0.1', body: {}, ...wanted } as const;
  plane.send({ kind: 'agents', told: { kind: 'call', question: asked, call: agentCall } });
  const told = await until(
    () =>
      plane.messages.flatMap((message) =>
        message.kind === 'agents' && message.told.kind === 'reply' && message.told.question === asked
          ? message.told.reply
          : [],
      )[0],
    { what: `the answer to ${agentCall.action}` },
  );
  return told;
}

function codeOf({ status, body }: AgentReply): string {
  return `${status} ${Object(Object(body).error).code ?? ''}`.trim();
}

async function newToken(plane: TestControlPlane, more: object = {}): Promise<{ id: string; token: string }> {
  const { status, json } = await plane.api('POST', '/api/tokens', { label: 't', ...more });
  assert.equal(status, 201);
  return Object(json);
}

async function nodeOf(plane: TestControlPlane, name: string): Promise<Record<string, unknown>> {
  return Object((await plane.api('GET', `/api/nodes/${name}`)).json);
}

function settings(overrides: DeepPartial<Settings> = {}): Settings {
  return testSettings({ agents, health: { intervalMs: 60_000, timeoutMs: 500 }, ...overrides });
}

test('a token is shown once, kept as a hash, and opens neither the admin API nor, used there, says anything', async () => {
  await using plane = await startTestControlPlane(settings());
  const { token } = await newToken(plane, { label: 'rack-7' });
  assert.match(token, /^weirreg_[\w-]{43}$/);
  const list = await plane.api('GET', '/api/tokens');
  assert.ok(!list.text.includes(token));
  assert.equal(Object(list.json).data[0].label, 'rack-7');
  for (const path of ['/api/nodes', '/api/requests', '/api/keys', '/api/settings', '/metrics', '/nothing']) {
    const { status, text } = await plane.api('GET', path, undefined, { authorization: `Bearer ${token}` });
    assert.deepEqual([status, JSON.parse(text).error.code], [403, 'wrong_scope'], path);
  }
});

test('what is no registration token joins nothing: none is 401, one for another door 403, an expired one 401', async () => {
  await using plane = await startTestControlPlane(settings());
  const key = await plane.api('POST', '/api/keys', { label: 'a client' });
  const expired = await newToken(plane, { expiresAt: 1 });
  const body = { name: 'a', url: 'http://127.0.0.1:1' };
  assert.equal(codeOf(await call(plane, { body })), '401 unauthorized');
  assert.equal(codeOf(await call(plane, { body, token: 'nonsense' })), '401 unauthorized');
  assert.equal(codeOf(await call(plane, { body, token: 'test-token' })), '403 wrong_scope');
  assert.equal(codeOf(await call(plane, { body, token: Object(key.json).key })), '403 wrong_scope');
  assert.equal(codeOf(await call(plane, { body, token: expired.token })), '401 token_expired');
  assert.deepEqual(Object((await plane.api('GET', '/api/nodes')).json).data, []);
});

test('an agent registers its node, beats, and keeps the node under another address, name and token', async () => {
  await using engine = await scriptedNode();
  await using other = await scriptedNode({ models: ['other'] });
  await using plane = await startTestControlPlane(settings());
  const { token, id: tokenId } = await newToken(plane);
  const body = { name: 'a', url: engine.url, tags: ['x'], aFieldOfTheFuture: 1 };
  const joined = await call(plane, { token, body });
  const { nodeId, state, heartbeatMs } = Object(joined.body);
  assert.deepEqual([joined.status, state, heartbeatMs], [200, 'ready', 10_000]);
  assert.equal((await call(plane, { token, action: 'heartbeat', body: beat })).status, 200);
  const seen = await nodeOf(plane, 'a');
  assert.deepEqual([seen['managedBy'], seen['tags'], Object(seen['agent']).machine.cpuUse], ['agent', ['x'], 0.5]);
  assert.deepEqual([Object(seen['agent']).tokenId, Object(seen['agent']).silent], [tokenId, false]);

  await plane.api('POST', `/api/nodes/${nodeId}/drain`);
  const { generation } = plane.snapshot().nodes[0] ?? { generation: 0 };
  const second = await newToken(plane);
  const moved = await call(plane, { token: second.token, body: { name: 'b', url: other.url } });
  assert.equal(Object(moved.body).nodeId, nodeId);
  const after = await nodeOf(plane, 'b');
  assert.deepEqual([after['url'], after['draining'], after['models']], [other.url, true, ['other']]);
  // What waits for an answer from the former address is told that none will come.
  const told = plane.messages.flatMap((message) => (message.kind === 'snapshot' ? message.snapshot.nodes[0] : []));
  assert.ok(told.some((node) => node?.generation === generation && node.state === 'offline'));
  assert.notEqual(plane.snapshot().nodes[0]?.generation, generation);
  // The former token speaks for it no longer.
  assert.equal(codeOf(await call(plane, { token, action: 'heartbeat', body: beat })), '404 unknown_agent');
  const stranger = { token: second.token, identity: 'the-identity-of-another-agent' };
  assert.equal(codeOf(await call(plane, { ...stranger, action: 'heartbeat', body: beat })), '404 unknown_agent');
  assert.equal(codeOf(await call(plane, { ...stranger, body: { name: 'b', url: engine.url } })), '409 name_taken');
  assert.match((await plane.api('PUT', '/api/nodes/b', { url: engine.url })).text, /managed_by_agent/);
});

test('a revoked token stops at once: its node is offline, its tunnels end, its next call is 401', async () => {
  await using engine = await scriptedNode();
  await using plane = await startTestControlPlane(settings());
  const { token, id } = await newToken(plane);
  const { body } = await call(plane, { token, body: { name: 'a', url: engine.url } });
  await plane.nodeIs('a', 'ready');
  assert.equal((await plane.api('DELETE', `/api/tokens/${id}`)).status, 204);
  assert.equal(plane.snapshot().nodes[0]?.state, 'offline');
  assert.match(String((await nodeOf(plane, 'a'))['detail']), /revoked/);
  const ended = plane.messages.filter((message) => message.kind === 'agents' && message.told.kind === 'end');
  assert.deepEqual(ended, [{ kind: 'agents', told: { kind: 'end', nodeIds: [Object(body).nodeId] } }]);
  assert.equal(codeOf(await call(plane, { token, action: 'heartbeat', body: beat })), '401 unauthorized');
  assert.equal(codeOf(await call(plane, { token, action: 'tunnel' })), '401 unauthorized');
  assert.equal(codeOf(await call(plane, { token, body: { name: 'a', url: engine.url } })), '401 unauthorized');
  await plane.api('POST', '/api/nodes/a/probe');
  assert.equal(plane.snapshot().nodes[0]?.state, 'offline', 'though its engine answers');

  const another = await newToken(plane);
  await call(plane, { token: another.token, body: { name: 'a', url: engine.url } });
  await plane.nodeIs('a', 'ready');
});

test('a node whose agent is silent for the time-out is offline, and ready again with its next heartbeat', async () => {
  await using engine = await scriptedNode();
  await using plane = await startTestControlPlane(settings({ agents: { ...agents, timeoutMs: 300 } }));
  const { token } = await newToken(plane);
  await call(plane, { token, body: { name: 'a', url: engine.url } });
  await plane.nodeIs('a', 'ready');
  await plane.nodeIs('a', 'offline');
  assert.match(String((await nodeOf(plane, 'a'))['detail']), /agent has been silent/);
  await call(plane, { token, action: 'heartbeat', body: beat });
  await plane.nodeIs('a', 'ready');
});

test('a token may be for so many nodes, and for nodes that wait for an administrator', async () => {
  await using engine = await scriptedNode();
  await using plane = await startTestControlPlane(settings());
  const { token } = await newToken(plane, { maxNodes: 1, needsApproval: true });
  const joined = await call(plane, { token, body: { name: 'a', url: engine.url } });
  assert.equal(Object(joined.body).draining, true);
  assert.equal(plane.snapshot().nodes[0]?.draining, true);
  const second = { token, identity: 'the-identity-of-another-agent', body: { name: 'b', url: engine.url } };
  assert.equal(codeOf(await call(plane, second)), '403 too_many_nodes');
  await plane.api('POST', '/api/nodes/a/resume');
  assert.equal(Object((await call(plane, { token, body: { name: 'a', url: engine.url } })).body).draining, false);
});

test('addresses that cannot be an engine are refused with what to do', async () => {
  await using plane = await startTestControlPlane(settings({ listen: { host: '127.0.0.1', port: 9347 } }));
  const { token } = await newToken(plane);
  const from = (url: string, peer: string): Promise<AgentReply> =>
    call(plane, { token, peer, body: { name: 'a', url } });
  assert.equal(codeOf(await from('http://localhost:11434', '10.0.0.9')), '400 unreachable_address');
  assert.equal(codeOf(await from('http://[::1]:11434', '10.0.0.9')), '400 unreachable_address');
  assert.equal(codeOf(await from('http://127.0.0.1:9347', '127.0.0.1')), '400 invalid_request');
  assert.equal(codeOf(await from('ftp://x', '10.0.0.9')), '400 invalid_request');
  assert.equal(
    codeOf(await call(plane, { token, body: { name: 'with space', url: 'http://x' } })),
    '400 invalid_request',
  );
});

test("an agent's node is the same after a restart, and its log's newest lines are shown without secrets", async () => {
  await using engine = await scriptedNode();
  const same = settings();
  let nodeId = '';
  let token = '';
  {
    await using plane = await startTestControlPlane(same);
    token = (await newToken(plane)).token;
    nodeId = Object(
      (await call(plane, { token, body: { name: 'a', url: engine.url, apiKey: 'engine-key' } })).body,
    ).nodeId;
  }
  await using plane = await startTestControlPlane(same);
  await plane.nodeIs('a', 'ready');
  const log = ['loaded', 'the key is engine-key'];
  assert.equal((await call(plane, { token, action: 'heartbeat', body: { ...beat, log } })).status, 200);
  assert.equal((await nodeOf(plane, 'a'))['id'], nodeId);
  const { json } = await plane.api('GET', '/api/nodes/a/logs?tail=2');
  assert.deepEqual(json, { data: ['loaded', 'the key is ***'], truncated: false });
});

test('who made a token, joined with it, moved and was cut off is in the audit log, and no secret with it', async () => {
  await using engine = await scriptedNode();
  await using other = await scriptedNode();
  await using plane = await startTestControlPlane(settings());
  const { token, id } = await newToken(plane);
  await call(plane, { token, body: { name: 'a', url: engine.url } });
  await call(plane, { token, body: { name: 'a', url: engine.url } });
  await call(plane, { token, body: { name: 'a', url: other.url } });
  await plane.api('DELETE', `/api/tokens/${id}`);
  const { json, text } = await plane.api('GET', '/api/audit?limit=10');
  const actions = Object(json).data.map(({ action }: { readonly action: string }) => action);
  assert.deepEqual(actions.toReversed(), ['token.create', 'node.join', 'node.rejoin', 'token.remove']);
  assert.ok(!text.includes(token) && !text.includes(identity));
});

test("a name that the configuration takes from an agent is the configuration's, and the agent is told", async () => {
  await using engine = await scriptedNode();
  const dataDir = settings().dataDir;
  let token = '';
  {
    await using plane = await startTestControlPlane(settings({ dataDir }));
    token = (await newToken(plane)).token;
    await call(plane, { token, body: { name: 'a', url: engine.url } });
  }
  const nodes = [{ name: 'a', url: engine.url, engine: 'auto', headers: {} }] as const;
  await using plane = await startTestControlPlane(settings({ dataDir, nodes }));
  await plane.nodeIs('a', 'ready');
  assert.equal(plane.snapshot().nodes.length, 1);
  assert.equal((await nodeOf(plane, 'a'))['managedBy'], 'config');
  assert.equal(codeOf(await call(plane, { token, action: 'heartbeat', body: beat })), '404 unknown_agent');
  assert.equal(codeOf(await call(plane, { token, body: { name: 'a', url: engine.url } })), '409 name_taken');
});
