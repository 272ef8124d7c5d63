import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { startTestControlPlane } from '../../test/support/control-plane.ts';
import { inTurn } from '../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { temporaryDirectory, testSettings } from '../../test/support/settings.ts';
import { testSettlement } from '../../test/support/settlement.ts';
import { packSettlements } from '../fleet/settlement-batch.ts';
import { until } from '../../test/support/until.ts';
import type { NodeSettings } from '../fleet/settings.ts';
import { emptySnapshot, type NodeSnapshot } from '../fleet/snapshot.ts';

const health = { intervalMs: 50, timeoutMs: 500 };

function entry(name: string, url: string, more: Partial<NodeSettings> = {}): NodeSettings {
  return { name, url, engine: 'auto', headers: {}, ...more };
}

test('a configured node is probed, and what it offers is published', async () => {
  await using node = await scriptedNode({ models: ['llama3:latest', 'org/coder'] });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [entry('gpu-1', `${node.url}/v1/`)] }));
  await plane.nodeIs('gpu-1', 'ready');
  const snapshot = plane.snapshot();
  assert.equal(snapshot.settled, true);
  assert.deepEqual([...snapshot.models.keys()], ['llama3', 'org/coder']);
  assert.deepEqual(snapshot.models.get('llama3')?.offers, [
    { node: 0, upstream: 'llama3:latest', ready: true, slots: null },
  ]);
  const [published] = snapshot.nodes;
  assert.deepEqual([published?.baseUrl, published?.engine, published?.slots], [node.url, 'openai', 8]);
});

test('a node added through the API is in force when the 201 comes, and there after a restart', async () => {
  await using node = await scriptedNode();
  const settings = testSettings({ health, dataDir: temporaryDirectory() });
  let id = '';
  {
    await using plane = await startTestControlPlane(settings);
    const created = await plane.api('POST', '/api/nodes', {
      name: 'a',
      url: node.url,
      maxConcurrent: 3,
      apiKey: 'secret',
    });
    assert.equal(created.status, 201, created.text);
    const view = Object(created.json);
    id = view.id;
    assert.deepEqual(
      [view.state, view.engine, view.slots, view.models, view.apiKey, view.managedBy],
      ['ready', 'openai', 3, ['llama3'], '***', 'api'],
    );
    assert.equal(plane.snapshot().models.get('llama3')?.offers.length, 1);
    assert.equal(plane.snapshot().nodes[0]?.apiKey, 'secret');
  }
  await using plane = await startTestControlPlane(settings);
  await plane.nodeIs('a', 'ready');
  assert.equal(plane.snapshot().nodes[0]?.id, id);
  assert.equal((await plane.api('DELETE', `/api/nodes/${id}`)).status, 204);
  assert.equal(plane.snapshot().models.size, 0);
  assert.deepEqual(plane.snapshot().nodes, []);
});

test('an unreachable node is registered all the same, as offline', async () => {
  await using plane = await startTestControlPlane(testSettings({ health }));
  const gone = await scriptedNode();
  await gone.close();
  const created = await plane.api('POST', '/api/nodes', { url: gone.url, models: ['m'] });
  assert.equal(created.status, 201);
  const view = Object(created.json);
  assert.equal(view.state, 'offline');
  assert.match(view.detail, /ECONNREFUSED/);
  assert.equal(plane.snapshot().models.get('m')?.offers[0]?.upstream, 'm');
  const again = await scriptedNode({ port: gone.port });
  await plane.nodeIs(view.name, 'ready');
  await again.close();
  await plane.nodeIs(view.name, 'offline');
});

test('everything needs the token, unknown paths too', async () => {
  await using plane = await startTestControlPlane(testSettings());
  for (const path of ['/api/nodes', '/metrics', '/dashboard', '/api/no-such-thing', '/']) {
    for (const authorization of ['', 'Bearer wrong', 'Basic dGVzdC10b2tlbg==']) {
      const answer = await plane.api('GET', path, undefined, { authorization });
      assert.equal(answer.status, 401, path);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
  }
  assert.equal((await plane.api('GET', '/api/nodes')).status, 200);
  assert.equal((await plane.api('GET', '/api/nodes', undefined, { origin: 'http://evil.example' })).status, 403);
});

test('stop writes what is pending and says so', async () => {
  const settings = testSettings();
  const plane = await startTestControlPlane(settings);
  plane.send({ kind: 'settlements', settlements: packSettlements([testSettlement(1)]) });
  plane.send({ kind: 'stop' });
  await until(() => plane.messages.some(({ kind }) => kind === 'stopped'), { what: 'stopped' });
  await assert.rejects(plane.api('GET', '/api/nodes'));
  await plane[Symbol.asyncDispose]();
  const database = new DatabaseSync(join(settings.dataDir, 'weir.db'));
  assert.equal(database.prepare('SELECT count(*) AS n FROM requests').get()?.['n'], 1);
  database.close();
});

test('a restarted control plane takes over indexes, generations, states and models without a flap', async () => {
  await using a = await scriptedNode({ models: ['m'] });
  await using b = await scriptedNode({ models: ['m', 'n'] });
  const dataDir = temporaryDirectory();
  const settings = testSettings({ health, dataDir, nodes: [entry('a', a.url), entry('b', b.url)] });
  let before = emptySnapshot;
  {
    await using plane = await startTestControlPlane(settings);
    await plane.nodeIs('a', 'ready');
    await plane.nodeIs('b', 'ready');
    await plane.api('POST', '/api/nodes', { name: 'c', url: b.url });
    await plane.api('POST', '/api/nodes/b/drain');
    before = plane.snapshot();
  }
  // Node a is gone from the file now, so that the others must keep their indexes rather than move up.
  const fewer = testSettings({ health, dataDir, nodes: [entry('b', b.url)] });
  await using plane = await startTestControlPlane(fewer, { resume: before });
  const snapshots = plane.messages.flatMap((message) => (message.kind === 'snapshot' ? [message.snapshot] : []));
  const [first] = snapshots;
  assert.ok(first && first.version > before.version);
  assert.equal(first.settled, true);
  assert.equal(first.nodes[0], null);
  for (const index of [1, 2]) {
    const was: NodeSnapshot | null | undefined = before.nodes[index];
    const is: NodeSnapshot | null | undefined = first.nodes[index];
    assert.ok(was && is);
    assert.deepEqual({ ...is, probes: 0 }, { ...was, probes: 0 });
    assert.ok(is.probes >= was.probes);
  }
  assert.equal(first.nodes[1]?.draining, true);
  assert.deepEqual(first.models.get('m'), {
    ...before.models.get('m'),
    offers: before.models.get('m')?.offers.filter(({ node }) => node !== 0),
  });
  const added = Object((await plane.api('POST', '/api/nodes', { name: 'd', url: a.url })).json);
  const newcomer = plane.snapshot().nodes.find((node) => node?.id === added.id);
  assert.equal(newcomer?.index, 0);
  assert.ok((newcomer?.generation ?? 0) > (before.nodes[0]?.generation ?? 0));
});

test('load is told apart from snapshots, and steady probes publish none', async () => {
  const paths = {
    '/v1/models': inTurn((_request, reply) => reply.json(200, { data: [{ id: 'm', owned_by: 'vllm' }] })),
    '/metrics': inTurn((_request, reply) => {
      reply.response.end('vllm:num_requests_running 5\nvllm:num_requests_waiting 2\nvllm:kv_cache_usage_perc 0.5\n');
    }),
  };
  await using node = await scriptedNode({ paths });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [entry('a', node.url)] }));
  await plane.nodeIs('a', 'ready');
  const version = plane.snapshot().version;
  const probes = node.count('/v1/models');
  const told = await until(() => plane.messages.find(({ kind }) => kind === 'telemetry'), { what: 'telemetry' });
  const [reading] = told.kind === 'telemetry' ? told.nodes : [];
  assert.deepEqual([reading?.running, reading?.waiting, reading?.cacheUse], [5, 2, 0.5]);
  assert.ok(reading && reading.nextProbeAt > reading.readAt);
  await until(() => node.count('/v1/models') > probes + 2, { what: 'three more probes' });
  assert.equal(plane.snapshot().version, version);
});

test('a start that cannot succeed says what to do', async () => {
  const twice = testSettings({ nodes: [entry('a', 'http://a'), entry('a', 'http://b')] });
  await assert.rejects(startTestControlPlane(twice), /the name a is there twice/);
  const wrongUrl = testSettings({ nodes: [entry('a', 'http://user:pw@a')] });
  await assert.rejects(startTestControlPlane(wrongUrl), /nodes: a: url must not contain a user name/);

  const garbage = testSettings();
  writeFileSync(join(garbage.dataDir, 'weir.db'), 'no database'.repeat(1000));
  await assert.rejects(startTestControlPlane(garbage), /weir\.db cannot be used.*move it away/);

  await using other = await scriptedNode();
  const taken = testSettings({ admin: { listen: { host: '127.0.0.1', port: other.port } } });
  await assert.rejects(startTestControlPlane(taken), new RegExp(`127.0.0.1:${other.port} is in use. .*admin.listen`));
  const noCertificate = testSettings({ admin: { tls: { cert: '/no/such.pem', key: '/no/such.key' } } });
  await assert.rejects(startTestControlPlane(noCertificate), /admin\.tls\.cert cannot be read: ENOENT/);
});

test('a name of the configuration that an API node has is told with both ways out', async () => {
  const dataDir = temporaryDirectory();
  {
    await using plane = await startTestControlPlane(testSettings({ dataDir, health }));
    await plane.api('POST', '/api/nodes', { name: 'a', url: 'http://127.0.0.1:9' });
  }
  const settings = testSettings({ dataDir, nodes: [entry('a', 'http://127.0.0.1:9')] });
  await assert.rejects(startTestControlPlane(settings), /the name a belongs to a node that was added.*DELETE/);
});

test('a node that answers nothing holds up neither the others nor the start', async () => {
  await using frozenNode = await scriptedNode({ paths: { '/v1/models': () => undefined } });
  await using node = await scriptedNode();
  const nodes = [entry('frozen', frozenNode.url), entry('quick', node.url)];
  await using plane = await startTestControlPlane(
    testSettings({ health: { intervalMs: 50, timeoutMs: 20_000 }, nodes }),
  );
  await plane.nodeIs('quick', 'ready');
  assert.equal(plane.snapshot().nodes[0]?.state, 'starting');
  assert.equal(plane.snapshot().settled, false);
  await until(() => node.count('/v1/models') > 3, { what: 'more probes of the quick node' });
});
