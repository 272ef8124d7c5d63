import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestControlPlane } from '../../test/support/control-plane.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { temporaryDirectory, testSettings } from '../../test/support/settings.ts';
import { until } from '../../test/support/until.ts';
import type { NodeSettings } from '../fleet/settings.ts';

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
      // oxlint-disable-next-line no-await-in-loop -- one by one is the point
      const answer = await plane.api('GET', path, undefined, { authorization });
      assert.equal(answer.status, 401, path);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
  }
  assert.equal((await plane.api('GET', '/api/nodes')).status, 200);
  assert.equal((await plane.api('GET', '/api/nodes', undefined, { origin: 'http://evil.example' })).status, 403);
});

test('stop writes what is pending and says so', async () => {
  const plane = await startTestControlPlane(testSettings());
  plane.send({ kind: 'stop' });
  await until(() => plane.messages.some(({ kind }) => kind === 'stopped'), { what: 'stopped' });
  await assert.rejects(plane.api('GET', '/api/nodes'));
  await plane[Symbol.asyncDispose]();
});
