import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { Residency } from './residency.ts';

function harness(maxResident = Infinity): {
  clock: ManualClock;
  busy: Set<string>;
  residency: Residency;
  ready: string[];
  readonly ask: (model: string) => () => void;
} {
  const clock = new ManualClock();
  const busy = new Set<string>();
  const residency = new Residency({ loadMs: 100, maxResident, isBusy: (model) => busy.has(model) }, clock);
  const ready: string[] = [];
  return { clock, busy, residency, ready, ask: (model) => residency.ensure(model, () => ready.push(model)) };
}

test('a model is loaded once however many ask for it, and is there at once afterwards', () => {
  const { clock, residency, ready, ask } = harness();
  ask('a');
  ask('a');
  assert.equal(residency.state('a'), 'loading');
  clock.advance(99);
  assert.deepEqual(ready, []);
  clock.advance(1);
  assert.deepEqual(ready, ['a', 'a']);
  ask('a');
  assert.deepEqual([ready.length, residency.loads, residency.state('a')], [3, 1, 'resident']);
});

test('a full memory makes room by the longest unused idle model, and waits while all are busy', () => {
  const { clock, busy, residency, ready, ask } = harness(2);
  residency.place('old');
  clock.advance(1);
  residency.place('young');
  ask('c');
  assert.equal(residency.state('old'), 'absent');
  clock.advance(100);
  busy.add('young').add('c');
  ask('d');
  clock.advance(1000);
  assert.deepEqual(ready, ['c']);
  busy.delete('young');
  residency.settle();
  clock.advance(100);
  assert.deepEqual(ready, ['c', 'd']);
  assert.equal(residency.state('young'), 'absent');
});

test('those who cancel are not told, whether loading, in the queue or after it', () => {
  const { clock, busy, residency, ready, ask } = harness(1);
  ask('a')();
  clock.advance(100);
  busy.add('a');
  const cancelQueued = ask('b');
  const cancelMoved = ask('c');
  cancelQueued();
  busy.delete('a');
  residency.settle();
  assert.equal(residency.state('c'), 'loading');
  cancelMoved();
  clock.advance(1000);
  assert.deepEqual(ready, []);
});
