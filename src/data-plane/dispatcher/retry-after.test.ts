import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DrainRate } from './retry-after.ts';

const none = (): number => 0;

test('the rate is that of the last hand-offs', () => {
  const rate = new DrainRate();
  for (let at = 0; at <= 10_000; at += 500) rate.note(at);
  assert.ok(Math.abs((rate.perMs(10_000) ?? 0) * 1000 - 2) < 0.2);
});

test('hand-offs of half a minute ago say nothing of now', () => {
  const rate = new DrainRate();
  rate.note(0);
  assert.notEqual(rate.perMs(30_000), null);
  assert.equal(rate.perMs(30_001), null);
  assert.equal(rate.retryAfterMs(10, 30_001, none, 7000), 7000);
});

test('a rate that has risen shows: only the last 64 count', () => {
  const rate = new DrainRate();
  for (let at = 0; at < 20_000; at += 1000) rate.note(at);
  for (let at = 20_000; at < 21_000; at += 10) rate.note(at);
  assert.ok((rate.perMs(21_000) ?? 0) * 1000 > 50);
});

test('whoever is refused stays away until those ahead are gone, with up to a fifth of jitter, at least a second', () => {
  const rate = new DrainRate();
  for (let at = 0; at <= 10_000; at += 100) rate.note(at);
  const base = rate.retryAfterMs(100, 10_000, none, 1);
  assert.ok(base > 9000 && base < 11_000, `${base}`);
  assert.ok(Math.abs(rate.retryAfterMs(100, 10_000, () => 1, 1) / base - 1.2) < 1e-9);
  assert.equal(rate.retryAfterMs(0, 10_000, none, 1), 1000);
  assert.equal(rate.retryAfterMs(-50, 10_000, none, 1), 1000);
});
