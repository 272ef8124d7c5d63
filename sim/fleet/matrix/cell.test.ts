import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, meanOf } from './cell.ts';

test('the interval of paired differences is Student’s', () => {
  const { mean, within } = difference([0.9, 0.8, 0.7, 0.6, 0.5], [0.8, 0.6, 0.6, 0.5, 0.3]);
  assert.ok(Math.abs(mean - 0.14) < 1e-9);
  // Deviation 0.0548, over the root of five, times 2.78.
  assert.ok(Math.abs(within - 0.0681) < 1e-3, `${within}`);
});

test('what both share does not widen it', () => {
  const ours = [0.1, 0.5, 0.9];
  assert.ok(
    difference(
      ours,
      ours.map((value) => value - 0.1),
    ).within < 1e-9,
  );
});

test('one run says nothing of chance', () => {
  assert.deepEqual(difference([1], [0.5]), { mean: 0.5, within: Infinity });
  assert.equal(meanOf([]), 0);
});
