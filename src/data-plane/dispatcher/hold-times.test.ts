import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldTimes } from './hold-times.ts';

function of(...held: number[]): HoldTimes {
  const times = new HoldTimes();
  for (const each of held) times.add(each);
  return times;
}

test('where all took the same time the end of one is known', () => {
  const times = of(2000, 2000, 2000);
  assert.equal(times.endsWithin(1500, 499), 0);
  assert.equal(times.endsWithin(1500, 500), 1);
});

test('only those that lasted as long tell of one that has', () => {
  const times = of(100, 200, 300, 400, 1000);
  assert.equal(times.endsWithin(0, 200), 2 / 5);
  assert.equal(times.endsWithin(250, 150), 2 / 3);
  assert.equal(times.endsWithin(450, 100), 0);
});

test('one that lasts longer than any did may last as long again', () => {
  const times = of(100, 200);
  assert.ok(Math.abs(times.endsWithin(1000, 1000) - (1 - 1 / Math.E)) < 1e-9);
});

test('the newest count', () => {
  const times = of(...Array.from({ length: 100 }, () => 50), ...Array.from({ length: 48 }, () => 5000));
  assert.equal(times.endsWithin(0, 4999), 0);
});
