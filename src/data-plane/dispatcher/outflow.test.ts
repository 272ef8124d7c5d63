import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf, nodesAlike } from '../../../test/support/fleet.ts';
import { Outflow, type Waiting } from './outflow.ts';

const at = (node: number): { node: number; generation: number } => ({ node, generation: 1 });
const waiting = (sizes: Record<string, number>): Waiting =>
  new Map(Object.entries(sizes).map(([model, size]) => [model, { size }]));

/** Nodes that offer `m` and `n`, each with one lease open after answers of 100 ms. */
function running(nodes: number): Outflow {
  const outflow = new Outflow();
  const plans = nodesAlike(nodes, { models: ['m', 'n'] });
  outflow.replaceSnapshot(
    fleetOf(plans),
    plans.map(() => ['m', 'n']),
  );
  for (let node = 0; node < nodes; node += 1) {
    outflow.began(at(node), 0);
    outflow.ended(at(node), 0, 100, true);
    outflow.began(at(node), 100);
  }
  return outflow;
}

test('slots of a node are shared by the models that are waited for there', () => {
  const outflow = running(4);
  const sizes = waiting({ m: 3, n: 1 });
  assert.equal(outflow.perMs('m', sizes, 100), 0.03);
  assert.equal(outflow.perMs('n', sizes, 100), 0.01);
  assert.equal(outflow.perMs(null, sizes, 100), 0.04);
  assert.equal(outflow.perMs('unknown', sizes, 100), 0);
  assert.equal(outflow.afterMs(1, 'unknown', sizes, 100), null);
});

test('a look is kept for a moment, but not for longer than its nodes stay the same', () => {
  const outflow = running(4);
  const sizes = waiting({ m: 1 });
  assert.equal(outflow.perMs(null, sizes, 100), 0.04);
  for (const node of [0, 1, 2]) outflow.began(at(node), 101);
  assert.equal(outflow.perMs(null, sizes, 101), 0.04, 'three of four nodes changed since');
  outflow.began(at(3), 101);
  assert.equal(outflow.perMs(null, sizes, 101), 0.08, 'as many leases began as there are nodes');
  outflow.began(at(0), 102);
  assert.equal(outflow.perMs(null, sizes, 105), 0.08);
  assert.equal(Math.round(outflow.perMs(null, sizes, 111) * 1000), 90, 'ten milliseconds later');
});

test('where nothing is to be seen the first lease is', () => {
  const outflow = new Outflow();
  outflow.replaceSnapshot(fleetOf(nodesAlike(4)), [['m'], ['m'], ['m'], ['m']]);
  const sizes = waiting({ m: 1 });
  assert.equal(outflow.afterMs(1, 'm', sizes, 0), null);
  outflow.began(at(0), 0);
  assert.equal(outflow.perMs('m', sizes, 0), 1 / 5000);
});

test('of very many leases as many are expected to end as end in the mean', () => {
  const outflow = running(100);
  const sizes = waiting({ m: 1 });
  assert.equal(outflow.afterMs(1, null, sizes, 100), 1, 'no sooner than in 1 ms');
  assert.ok(Math.abs((outflow.afterMs(11, null, sizes, 100) ?? 0) - 10.7) < 1e-9);
  assert.ok(Math.abs((outflow.afterMs(50, null, sizes, 100) ?? 0) - 49.7) < 1e-9);
});
