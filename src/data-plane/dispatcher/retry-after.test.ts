import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DrainRate } from './retry-after.ts';

const none = (): number => 0;

/** Four slots, each lease held for `heldMs`, until `endAt`; returns the moments at which the open ones were taken. */
function busy(rate: DrainRate, heldMs: number, endAt: number): number[] {
  const open: number[] = [];
  for (let at = 0; at <= endAt; at += heldMs / 4) {
    const oldest = open.length === 4 ? open.shift() : undefined;
    if (oldest !== undefined) rate.ended(oldest, at, true);
    rate.began(at);
    open.push(at);
  }
  return open;
}

test('the rate is the open leases over the mean time that one is held', () => {
  const rate = new DrainRate();
  busy(rate, 2000, 20_000);
  assert.ok(Math.abs((rate.perMs(20_000) ?? 0) * 1000 - 2) < 0.01);
});

test('before the first lease has ended it is held for 5 s, as far as anybody knows', () => {
  const rate = new DrainRate();
  rate.began(0);
  rate.began(0);
  assert.equal(rate.perMs(100), 2 / 5000);
  assert.equal(rate.retryAfterMs(4, 100, none), 10_000);
});

test('leases that do not end slow the rate down while they age', () => {
  const rate = new DrainRate();
  busy(rate, 1000, 20_000);
  assert.ok((rate.perMs(80_000) ?? 0) < 4 / 60_000);
});

test('only leases that served a request tell how long others will be held', () => {
  const rate = new DrainRate();
  busy(rate, 2000, 20_000);
  for (let n = 0; n < 100; n++) {
    rate.began(20_000);
    rate.ended(20_000, 20_001, false);
  }
  assert.ok(Math.abs((rate.perMs(20_001) ?? 0) * 1000 - 2) < 0.01);
});

test('a mean that has changed shows after a few dozen leases', () => {
  const rate = new DrainRate();
  let now = 0;
  const one = (heldMs: number): void => {
    rate.began(now);
    rate.ended(now, now + heldMs, true);
    now += heldMs;
  };
  for (let n = 0; n < 50; n++) one(10_000);
  for (let n = 0; n < 50; n++) one(100);
  rate.began(now);
  assert.ok((rate.perMs(now) ?? 0) * 1000 > 5);
});

test('whoever is refused stays away until those ahead are gone, with up to a fifth of jitter, at least a second', () => {
  const rate = new DrainRate();
  busy(rate, 400, 10_000);
  const base = rate.retryAfterMs(100, 10_000, none);
  assert.ok(Math.abs(base - 10_000) < 1, `${base}`);
  assert.ok(Math.abs(rate.retryAfterMs(100, 10_000, () => 1) / base - 1.2) < 1e-9);
  assert.equal(rate.retryAfterMs(0, 10_000, none), 1000);
  assert.equal(rate.retryAfterMs(-50, 10_000, none), 1000);
});

test('where nothing runs there is no rate, and 5 s are told', () => {
  const rate = new DrainRate();
  busy(rate, 400, 10_000).forEach((takenAt) => rate.ended(takenAt, 10_400, true));
  assert.equal(rate.perMs(10_400), null);
  assert.equal(rate.retryAfterMs(100, 10_400, none), 5000);
});
