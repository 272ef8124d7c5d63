import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestControlPlane } from '../../test/support/control-plane.ts';
import { inTurn, type Scripted, status } from '../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { testSettings } from '../../test/support/settings.ts';
import { until } from '../../test/support/until.ts';
import type { NodeSettings } from '../fleet/settings.ts';

const health = { intervalMs: 50, timeoutMs: 500 };

const list: Scripted = (_request, reply) => reply.json(200, { data: [{ id: 'm' }] });

const answering =
  (body: object): Scripted =>
  (_request, reply) =>
    reply.json(200, body);

function entry(name: string, url: string, more: Partial<NodeSettings> = {}): NodeSettings {
  return { name, url, engine: 'auto', headers: {}, ...more };
}

function seen(view: unknown): unknown[] {
  const { engine, slots, version, models } = Object(view);
  return [engine, slots, version, models];
}

test('a doubt makes the node be probed at once, and the probe that settles it is published, whatever it found', async () => {
  await using node = await scriptedNode();
  const slow = { intervalMs: 60_000, timeoutMs: 500 };
  await using plane = await startTestControlPlane(testSettings({ health: slow, nodes: [entry('a', node.url)] }));
  await plane.nodeIs('a', 'ready');
  const { index, generation, probes } = plane.snapshot().nodes[0] ?? { index: 0, generation: 0, probes: 0 };
  plane.send({ kind: 'doubt', doubt: { index, generation, reason: 'unreachable', model: null } });
  await until(() => (plane.snapshot().nodes[0]?.probes ?? 0) > probes, { what: 'a probe after the doubt' });
  assert.equal(plane.snapshot().nodes[0]?.state, 'ready');
});

test('a doubt about a node that fails takes it out long before its next probe was due', async () => {
  await using node = await scriptedNode({ paths: { '/v1/models': inTurn(list, status(500)) } });
  const slow = { intervalMs: 60_000, timeoutMs: 500 };
  await using plane = await startTestControlPlane(testSettings({ health: slow, nodes: [entry('a', node.url)] }));
  await plane.nodeIs('a', 'ready');
  const { index, generation } = plane.snapshot().nodes[0] ?? { index: 0, generation: 0 };
  plane.send({ kind: 'doubt', doubt: { index, generation, reason: 'unreachable', model: null } });
  await plane.nodeIs('a', 'offline');
});

test('a doubt about a registration that is gone is nobody’s', async () => {
  await using node = await scriptedNode();
  const slow = { intervalMs: 60_000, timeoutMs: 500 };
  await using plane = await startTestControlPlane(testSettings({ health: slow, nodes: [entry('a', node.url)] }));
  await plane.nodeIs('a', 'ready');
  const { index, generation } = plane.snapshot().nodes[0] ?? { index: 0, generation: 0 };
  plane.send({ kind: 'doubt', doubt: { index, generation: generation + 1, reason: 'unauthorized', model: null } });
  plane.send({ kind: 'doubt', doubt: { index: index + 1, generation, reason: 'unauthorized', model: null } });
  assert.equal(Object((await plane.api('GET', '/api/nodes/a')).json).state, 'ready');
});

test('a key that a request found refused is held against the node, although its list is open', async () => {
  await using node = await scriptedNode();
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [entry('a', node.url)] }));
  await plane.nodeIs('a', 'ready');
  const { index, generation } = plane.snapshot().nodes[0] ?? { index: 0, generation: 0 };
  plane.send({ kind: 'doubt', doubt: { index, generation, reason: 'unauthorized', model: null } });
  await plane.nodeIs('a', 'misconfigured');
  const probes = node.count('/v1/models');
  await until(() => node.count('/v1/models') > probes + 1, { what: 'two more probes' });
  await plane.nodeIs('a', 'misconfigured');
  const lifted = await plane.api('POST', '/api/nodes/a/probe');
  assert.equal(Object(lifted.json).state, 'ready');
});

test('an engine that took the place of another is recognised, on request too, and keeps nothing of the former', async () => {
  const ollama = {
    '/v1/models': list,
    '/api/version': answering({ version: '0.12.0' }),
    '/api/tags': answering({ models: [{ name: 'q' }] }),
    '/api/ps': answering({ models: [] }),
  };
  const first = await scriptedNode({ paths: ollama });
  const slow = { intervalMs: 60_000, timeoutMs: 500 };
  await using plane = await startTestControlPlane(testSettings({ health: slow, nodes: [entry('a', first.url)] }));
  await plane.nodeIs('a', 'ready');
  assert.deepEqual(seen((await plane.api('GET', '/api/nodes/a')).json), ['ollama', 1, '0.12.0', ['q']]);
  await first.close();
  await using second = await scriptedNode({ port: first.port, paths: { '/v1/models': list } });
  const probed = await plane.api('POST', '/api/nodes/a/probe');
  assert.deepEqual(seen(probed.json), ['openai', 8, null, ['m']]);
  await second.close();
  // Nobody was asked between the two, and the new one answers all that the former did.
  await using third = await scriptedNode({ port: first.port, paths: { ...ollama, '/v1/models': list } });
  assert.equal(third.count('/api/tags'), 0);
  assert.deepEqual(seen((await plane.api('POST', '/api/nodes/a/probe')).json), ['ollama', 1, '0.12.0', ['q']]);
});
