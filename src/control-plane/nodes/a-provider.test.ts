import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSettings } from '../../fleet/settings.ts';
import { ManualClock } from '../../lib/clock.ts';
import { type ProbeResult, unknownLoad } from '../probe.ts';
import { buildSnapshot } from './build-snapshot.ts';
import { NodeFleet } from './node-fleet.ts';

const well: ProbeResult = {
  kind: 'answered',
  engine: 'openai',
  state: 'ready',
  models: ['gpt-4o', 'openai:own', 'qwen3'].map((name) => ({
    name,
    ready: true,
    slots: null,
    sizeBytes: null,
    contextTokens: null,
  })),
  slots: null,
  load: unknownLoad,
  version: null,
};

const provider: NodeSettings = {
  name: 'openai',
  url: 'https://api.openai.com/v1',
  engine: 'openai',
  provider: 'openai',
  headers: {},
  maxConcurrent: 64,
  models: { 'openai:gpt-4o': 'gpt-4o' },
};

function fleetOf(...all: readonly NodeSettings[]) {
  const clock = new ManualClock();
  const probedAt: number[] = [];
  let answer = well;
  const fleet = new NodeFleet({
    tunnelSocket: (id) => `/${id}.sock`,
    clock,
    random: () => 0.5,
    intervalMs: 5000,
    nextVersion: () => 1,
    probe: async () => {
      probedAt.push(clock.now());
      return answer;
    },
    onChange: () => undefined,
    onTelemetry: () => undefined,
    onState: () => undefined,
    onFirstProbe: () => undefined,
    onRemoved: () => undefined,
  });
  for (const settings of all) fleet.add({ id: settings.name, managedBy: 'config', settings, draining: false });
  return {
    fleet,
    probedAt,
    fails: () => (answer = { kind: 'unreachable', detail: 'gone' }),
    refusesKey: () => (answer = { kind: 'unauthorized', detail: 'key' }),
    pass: async (seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 1) {
        clock.advance(1000);
        // What a probe's end sets off.
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      }
    },
  };
}

test('a provider stands for all models of its prefix, lists only those that were named, and no node offers others so', async () => {
  const { fleet, pass } = fleetOf(provider, { name: 'own', url: 'http://127.0.0.1:9', engine: 'auto', headers: {} });
  await pass(1);
  const nodes = fleet.registry.all();
  const parts = { version: 1, settled: true, nodes, keys: new Map(), firstSeenAt: () => 7 };
  const { models, nodes: shown } = buildSnapshot(parts);
  assert.deepEqual([...models.keys()], ['openai:', 'gpt-4o', 'openai:gpt-4o', 'qwen3']);
  assert.deepEqual(models.get('openai:'), {
    name: 'openai:',
    isPrefix: true,
    offers: [{ node: 0, upstream: '', ready: true, slots: null }],
    firstSeenAt: 7,
  });
  assert.deepEqual(models.get('openai:gpt-4o')?.offers, [{ node: 0, upstream: 'gpt-4o', ready: true, slots: null }]);
  assert.deepEqual([shown[0]?.provider, shown[0]?.slots, shown[1]?.provider], ['openai', 64, undefined]);
  const without = buildSnapshot({ ...parts, nodes: nodes.slice(1) });
  assert.deepEqual([...without.models.keys()], ['gpt-4o', 'openai:own', 'qwen3']);
});

test('a provider is asked once a minute, and every 5 s while something is amiss, however many requests doubt it', async () => {
  const { fleet, probedAt, fails, pass } = fleetOf(provider);
  await pass(121);
  assert.deepEqual(probedAt, [0, 61_000, 121_000]);
  const [node] = fleet.registry.all();
  assert.ok(node);
  fails();
  for (let second = 0; second < 12; second += 1) {
    fleet.doubt({ index: node.index, generation: node.generation, reason: 'unreachable', model: null });
    await pass(1);
  }
  assert.deepEqual(probedAt.slice(3), [126_000, 131_000]);
});

test("a request's refused key makes a provider be asked within 5 s, and what that says of the key holds", async () => {
  const { fleet, probedAt, refusesKey, pass } = fleetOf(provider);
  await pass(10);
  const [node] = fleet.registry.all();
  assert.ok(node);
  const doubt = () =>
    fleet.doubt({ index: node.index, generation: node.generation, reason: 'unauthorized', model: null });
  doubt();
  assert.equal(node.health.state, 'ready');
  await pass(6);
  assert.deepEqual([probedAt.at(-1), node.health.state], [15_000, 'ready']);
  refusesKey();
  doubt();
  await pass(6);
  assert.equal(node.health.state, 'misconfigured');
});
