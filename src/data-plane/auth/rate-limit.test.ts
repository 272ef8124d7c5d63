import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from './rate-limit.ts';

test("a minute's allowance may come at once, then it refills evenly", () => {
  const rates = new RateLimit();
  assert.equal(rates.take('a', 2, 0), 0);
  assert.equal(rates.take('a', 2, 0), 0);
  assert.equal(rates.take('a', 2, 0), 30_000);
  assert.equal(Math.round(rates.take('a', 2, 10_000)), 20_000, 'asking costs nothing');
  assert.equal(rates.take('a', 2, 30_000), 0);
  assert.equal(rates.take('a', 2, 30_000), 30_000);
});

test('keys do not share their allowance', () => {
  const rates = new RateLimit();
  assert.equal(rates.take('a', 1, 0), 0);
  assert.equal(rates.take('b', 1, 0), 0);
  assert.ok(rates.take('a', 1, 0) > 0);
});

test('a quiet time saves up one minute and no more', () => {
  const rates = new RateLimit();
  rates.take('a', 1, 0);
  assert.equal(rates.take('a', 1, 600_000), 0);
  assert.equal(rates.take('a', 1, 600_000), 60_000);
});
