import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSettings } from '../../fleet/settings.ts';
import { emptySnapshot, type FleetSnapshot } from '../../fleet/snapshot.ts';
import { ManualClock } from '../../lib/clock.ts';
import { type ProbeAnswer, unknownLoad } from '../probe.ts';
import { buildSnapshot } from './build-snapshot.ts';
import { NodeRegistry, type Registration } from './registry.ts';

function registration(name: string, more: Partial<NodeSettings> = {}): Registration {
  const settings: NodeSettings = { name, url: `http://${name}:1`, engine: 'auto', headers: {}, ...more };
  return { id: `id-${name}`, managedBy: 'api', settings, draining: false };
}

function answer(models: readonly string[], more: Partial<ProbeAnswer> = {}): ProbeAnswer {
  return {
    kind: 'answered',
    engine: 'llamacpp',
    state: 'ready',
    models: models.map((name) => ({ name, ready: true, slots: null, sizeBytes: null, contextTokens: null })),
    slots: null,
    load: unknownLoad,
    version: null,
    ...more,
  };
}

function fleet() {
  const clock = new ManualClock();
  let version = 0;
  const registry = new NodeRegistry(
    clock,
    () => version + 1,
    (id) => `/${id}.sock`,
  );
  const publish = (): FleetSnapshot => {
    version += 1;
    return buildSnapshot({ version, settled: true, nodes: registry.all(), keys: new Map(), firstSeenAt: () => 7 });
  };
  return { registry, publish };
}

test('an index is reused under a new generation', () => {
  const { registry, publish } = fleet();
  const a = registry.add(registration('a'));
  registry.add(registration('b'));
  publish();
  const generation = a.generation;
  registry.remove(a);
  assert.deepEqual(publish().nodes[0], null);
  const c = registry.add(registration('c'));
  assert.equal(c.index, 0);
  assert.ok(c.generation > generation);
  assert.equal(registry.byIndex(0, generation), null);
  assert.equal(registry.byIndex(0, c.generation), c);
});

test('a model list is kept while a node is away, and a later list without a model withdraws it', () => {
  const { registry, publish } = fleet();
  const node = registry.add(registration('a'));
  assert.equal(registry.applyProbe(node, answer(['m', 'n'])), true);
  assert.deepEqual([...publish().models.keys()], ['m', 'n']);
  assert.equal(registry.applyProbe(node, { kind: 'unreachable', detail: '' }), false);
  assert.equal(registry.applyProbe(node, { kind: 'unreachable', detail: '' }), true);
  assert.deepEqual([publish().nodes[0]?.state, publish().models.size], ['offline', 2]);
  registry.applyProbe(node, answer(['n']));
  assert.deepEqual([...publish().models.keys()], ['n']);
});

test('a probe that finds all as it was changes nothing, and is counted', () => {
  const { registry } = fleet();
  const node = registry.add(registration('a'));
  registry.applyProbe(node, answer(['m']));
  const again = answer(['m'], { load: { running: 3, waiting: 1, cacheUse: 0.5 } });
  assert.equal(registry.applyProbe(node, again), false);
  assert.deepEqual([node.probes, node.load.running], [2, 3]);
});

test('slots are the configured ones, else those told, else those of the kind', () => {
  const { registry, publish } = fleet();
  const node = registry.add(registration('a'));
  const slots = (): number | undefined => publish().nodes[0]?.slots;
  assert.equal(slots(), 8);
  registry.applyProbe(node, answer(['m']));
  assert.equal(slots(), 1);
  registry.applyProbe(node, answer(['m'], { slots: 4 }));
  assert.equal(slots(), 4);
  registry.applyProbe(node, answer(['m'], { engine: 'vllm' }));
  assert.equal(slots(), 64);
  registry.change(node, { ...node.settings, maxConcurrent: 3 });
  assert.equal(slots(), 3);
});

test('a node at another address is counted anew, and keeps its models until they are known to be others', () => {
  const { registry, publish } = fleet();
  const node = registry.add(registration('a'));
  registry.applyProbe(node, answer(['m']));
  const before = publish().nodes[0];
  registry.change(node, { ...node.settings, maxConcurrent: 2 });
  assert.equal(publish().nodes[0]?.generation, before?.generation);
  registry.change(node, { ...node.settings, url: 'http://elsewhere:1' });
  const after = publish();
  assert.ok((after.nodes[0]?.generation ?? 0) > (before?.generation ?? 0));
  assert.deepEqual([after.nodes[0]?.state, [...after.models.keys()]], ['starting', ['m']]);
});

test('one model of two nodes is offered by both, each under its own name', () => {
  const { registry, publish } = fleet();
  const a = registry.add(registration('a', { models: { m: 'file-m' } }));
  const b = registry.add(registration('b'));
  registry.applyProbe(b, answer(['m:latest']));
  assert.deepEqual(publish().models.get('m'), {
    name: 'm',
    firstSeenAt: 7,
    offers: [
      { node: a.index, upstream: 'file-m', ready: true, slots: null },
      { node: b.index, upstream: 'm:latest', ready: true, slots: null },
    ],
  });
});

test('an empty registry makes an empty snapshot', () => {
  assert.deepEqual(fleet().publish(), { ...emptySnapshot, version: 1, settled: true });
});
