import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fleetOf, readFleet } from './fleet-file.ts';

const engine = { kind: 'vllm', slots: 4, stepMs: 10, promptTokensPerSecond: 1000, kvTokens: 1000 };

test('a fleet is read with its defaults, counted nodes get names of their own', () => {
  const fleet = fleetOf('x/small.yaml', {
    engines: { fast: engine },
    nodes: [{ name: 'n', engine: 'fast', count: 2 }],
    troubles: [{ at: 0.5, lasts: 0.1, node: 'n-2', kind: 'crash' }],
  });
  assert.equal(fleet.name, 'small');
  assert.deepEqual(
    fleet.nodes.map(({ name }) => name),
    ['n-1', 'n-2'],
  );
  assert.deepEqual(fleet.nodes[0]?.engine.models, ['chat']);
  assert.equal(fleet.nodes[0]?.engine.maxWaiting, Infinity);
  assert.equal(fleet.troubles[0]?.node, 1);
});

test('a fleet file that is wrong is refused with the key that is', () => {
  const fleet = { engines: { fast: engine }, nodes: [{ name: 'n', engine: 'fast' }] };
  const broken: [unknown, RegExp][] = [
    [{ ...fleet, nods: [] }, /nods/],
    [{ ...fleet, engines: { fast: { ...engine, stepMs: 0 } } }, /engines\.fast\.stepMs/],
    [{ ...fleet, engines: { fast: { ...engine, kind: 'tgi' } } }, /engines\.fast\.kind/],
    [{ ...fleet, nodes: [] }, /nodes/],
    [{ ...fleet, nodes: [{ name: 'n', engine: 'slow' }] }, /names the engine slow; the file describes fast/],
    [{ ...fleet, nodes: [{ name: 'n', engine: 'fast', models: ['x'] }] }, /serves x, which models does not list/],
    [{ ...fleet, troubles: [{ at: 0, lasts: 0.1, node: 'm', kind: 'slow' }] }, /names the node m; there are n/],
    [null, /not a fleet/],
  ];
  for (const [value, message] of broken) assert.throws(() => fleetOf('f.yaml', value), message);
});

test('the fleets that come with the simulator can be read', async () => {
  const files = globSync('*.yaml', { cwd: join(import.meta.dirname, 'fleets') });
  assert.deepEqual(files.toSorted(), ['equal.yaml', 'guessed.yaml', 'mixed.yaml', 'ollama.yaml', 'rough.yaml']);
  for (const file of files) assert.ok((await readFleet(join(import.meta.dirname, 'fleets', file))).nodes.length >= 8);
  await assert.rejects(readFleet('no-such.yaml'), /--fleet no-such.yaml: cannot be read/);
});
