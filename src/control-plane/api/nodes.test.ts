import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleGauges, startTestControlPlane, refusal } from '../../../test/support/control-plane.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { testSettings } from '../../../test/support/settings.ts';

const health = { intervalMs: 50, timeoutMs: 500 };

test('a configured node may be drained and resumed, and neither changed nor removed', async () => {
  await using node = await scriptedNode();
  const settings = testSettings({ health, nodes: [{ name: 'a', url: node.url, engine: 'auto', headers: {} }] });
  await using plane = await startTestControlPlane(settings);
  await plane.nodeIs('a', 'ready');
  assert.match(await refusal(plane, 'DELETE', '/api/nodes/a'), /^409 managed_by_config: .*configuration/);
  assert.match(await refusal(plane, 'PUT', '/api/nodes/a', { url: node.url }), /^409 managed_by_config/);
  assert.match(await refusal(plane, 'POST', '/api/nodes', { name: 'a', url: node.url }), /^409 name_taken/);
  const drained = await plane.api('POST', '/api/nodes/a/drain');
  assert.deepEqual(
    [drained.status, Object(drained.json).draining, plane.snapshot().nodes[0]?.draining],
    [200, true, true],
  );
  const resumed = await plane.api('POST', '/api/nodes/a/resume');
  assert.deepEqual(
    [resumed.status, Object(resumed.json).draining, plane.snapshot().nodes[0]?.draining],
    [200, false, false],
  );
  const probes = Object((await plane.api('POST', '/api/nodes/a/probe')).json);
  assert.equal(probes.state, 'ready');
  assert.equal(typeof probes.lastProbeAt, 'number');
});

test('a node is changed in force, keeps a masked secret, and never shows it', async () => {
  await using first = await scriptedNode({ models: ['old'] });
  await using second = await scriptedNode({ models: ['new'] });
  await using plane = await startTestControlPlane(testSettings({ health }));
  const entry = { name: 'n', url: first.url, apiKey: 'hush', headers: { 'x-secret': 'quiet' } };
  const id = Object((await plane.api('POST', '/api/nodes', entry)).json).id;
  const change = {
    ...entry,
    name: 'renamed',
    url: second.url,
    apiKey: '***',
    headers: { 'x-secret': '***' },
    models: null,
  };
  const changed = await plane.api('PUT', `/api/nodes/${id}`, change);
  assert.equal(changed.status, 200, changed.text);
  assert.ok(!/hush|quiet/.test(changed.text));
  assert.deepEqual([Object(changed.json).name, Object(changed.json).models], ['renamed', ['new']]);
  const node = plane.snapshot().nodes[0];
  assert.deepEqual([node?.name, node?.apiKey, node?.headers], ['renamed', 'hush', { 'x-secret': 'quiet' }]);
  assert.deepEqual([...plane.snapshot().models.keys()], ['new']);
  assert.equal(second.requests.at(-1)?.headers.authorization, 'Bearer hush');
  const listed = await plane.api('GET', '/api/nodes/renamed/models');
  assert.deepEqual(Object(listed.json).data[0].upstream, 'new');
  await plane.api('PUT', `/api/nodes/${id}`, { url: second.url });
  assert.equal(plane.snapshot().nodes[0]?.apiKey, null);
});

test('a node may be given tags, its memory and where its log is, and shows them', async () => {
  await using plane = await startTestControlPlane(testSettings());
  await using node = await scriptedNode();
  const upkeep = { tags: ['gpu', 'gpu', 'site=a'], memory: '24gb', logsUrl: `${node.url}/log?service=a` };
  const created = await plane.api('POST', '/api/nodes', { url: node.url, ...upkeep });
  const { tags, memoryBytes, logsUrl } = Object(created.json);
  assert.deepEqual([tags, memoryBytes, logsUrl], [['gpu', 'site=a'], 24 * 1024 ** 3, upkeep.logsUrl]);
});

test("the router's own address is no node", async () => {
  await using plane = await startTestControlPlane(testSettings({ listen: { host: '127.0.0.1', port: 9347 } }));
  assert.match(await refusal(plane, 'POST', '/api/nodes', { url: 'http://localhost:9347/v1' }), /^400 .*own address/);
});

test('slots that were learned are shown, and who said how many', async () => {
  await using node = await scriptedNode();
  const counts = { index: 0, generation: 1, slots: 96, taken: 3, breaker: 'closed', cooling: false } as const;
  const gauges = { ...idleGauges, nodes: [{ ...counts, socketsIdle: 0, socketsBusy: 0, socketsOpened: 0 }] };
  const entry = { url: node.url, engine: 'auto', headers: {} } as const;
  const nodes = [
    { name: 'a', ...entry },
    { name: 'b', ...entry, maxConcurrent: 5 },
  ];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }), { gauges });
  await plane.nodeIs('a', 'ready');
  const [learned, set] = Object((await plane.api('GET', '/api/nodes')).json).data;
  assert.deepEqual([learned.slots, learned.taken, learned.slotsFrom], [96, 3, 'guess']);
  assert.deepEqual([set.slots, set.taken, set.slotsFrom], [5, null, 'configuration']);
});
