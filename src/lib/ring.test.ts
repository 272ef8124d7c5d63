import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ring } from './ring.ts';

test('a ring keeps the newest things in the order they came', () => {
  const ring = new Ring<number>(3);
  assert.deepEqual(ring.last(5), []);
  for (const item of [1, 2]) ring.push(item);
  assert.deepEqual(ring.last(5), [1, 2]);
  for (const item of [3, 4, 5]) ring.push(item);
  assert.deepEqual(ring.last(5), [3, 4, 5]);
  assert.deepEqual(ring.last(2), [4, 5]);
  assert.deepEqual(ring.last(0), []);
});
