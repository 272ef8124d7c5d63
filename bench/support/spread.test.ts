import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf, pairedRatios, quantileOf, Samples, spreadOf } from './spread.ts';

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(medianOf([9, 1, 5]), 5);
  assert.equal(medianOf([9, 1, 5, 6]), 5.5);
  assert.ok(Number.isNaN(medianOf([])));
});

test('a spread leaves out what was not measured', () => {
  assert.deepEqual(spreadOf([3, Number.NaN, 1, 2]), { median: 2, min: 1, max: 3, rounds: 3 });
});

test('quantiles of many samples are exact', () => {
  const samples = new Samples();
  for (let value = 200_000; value > 0; value--) samples.add(value);
  const { count, p50, p95, p99, p999, max } = samples.quantiles();
  assert.deepEqual(
    { count, p50, p95, p99, p999, max },
    { count: 200_000, p50: 100_001, p95: 190_001, p99: 198_001, p999: 199_801, max: 200_000 },
  );
  assert.equal(quantileOf([7], 0.99), 7);
});

test('ratios are taken round by round, and a round that either lacks is left out', () => {
  assert.deepEqual(pairedRatios([10, null, 30, 40], [5, 5, null, 20]), [2, 2]);
});
