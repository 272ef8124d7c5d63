import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comeBackMs, DrainRate } from './retry-after.ts';

const none = (): number => 0;
const first = { node: 0, generation: 1 };
const second = { node: 1, generation: 1 };

/** Four slots of a node, each lease held for `heldMs`, until `endAt`; returns the moments at which the open ones were taken. */
function busy(rate: DrainRate, heldMs: number, endAt: number, node = first): number[] {
  const open: number[] = [];
  for (let at = 0; at <= endAt; at += heldMs / 4) {
    const oldest = open.length === 4 ? open.shift() : undefined;
    if (oldest !== undefined) rate.ended(node, oldest, at, true);
    rate.began(node, at);
    open.push(at);
  }
  return open;
}

test('the rate of a node is its open leases over the mean time that one is held there', () => {
  const rate = new DrainRate();
  busy(rate, 2000, 20_000);
  busy(rate, 500, 20_000, second);
  assert.ok(Math.abs(rate.perMs(0, 20_000) * 1000 - 2) < 0.01);
  assert.ok(Math.abs(rate.perMs(1, 20_000) * 1000 - 8) < 0.01);
  assert.equal(rate.perMs(7, 20_000), 0);
});

test('before the first lease has ended it is held for 5 s, or as long as on other nodes, as far as anybody knows', () => {
  const rate = new DrainRate();
  rate.began(first, 0);
  rate.began(first, 0);
  assert.equal(rate.perMs(0, 100), 2 / 5000);
  rate.began(second, 0);
  rate.ended(second, 0, 200, true);
  assert.equal(rate.perMs(0, 300), 2 / 200);
});

test('a node that lets nothing go any more is as slow as its silence', () => {
  const rate = new DrainRate();
  busy(rate, 1000, 20_000);
  assert.ok(rate.perMs(0, 20_500) * 1000 > 3.9, 'half a second is no silence');
  assert.equal(rate.perMs(0, 80_000), 1 / 60_000);
});

test('only leases that served a request tell how long others will be held', () => {
  const rate = new DrainRate();
  busy(rate, 2000, 20_000);
  for (let n = 0; n < 100; n++) {
    rate.began(first, 20_000);
    rate.ended(first, 20_000, 20_001, false);
  }
  assert.ok(Math.abs(rate.perMs(0, 20_001) * 1000 - 2) < 0.01);
});

test('a node registered anew starts anew, whatever ends late of its forerunner', () => {
  const rate = new DrainRate();
  busy(rate, 2000, 20_000);
  const anew = { node: 0, generation: 2 };
  rate.began(anew, 20_000);
  rate.ended(first, 0, 20_100, true);
  assert.equal(rate.perMs(0, 20_100), 1 / 2000);
});

test('whoever is refused comes back when the next place should come free, with up to a fifth of jitter, after a second at least', () => {
  const opening = { ahead: 1, perMs: 0.0002, firstTimeoutMs: Infinity };
  assert.equal(comeBackMs(opening, none), 4000);
  assert.equal(
    comeBackMs(opening, () => 1),
    4800,
  );
  assert.equal(comeBackMs({ ...opening, ahead: 4 }, none), 19_000);
  assert.equal(comeBackMs({ ...opening, firstTimeoutMs: 2000 }, none), 2000, 'somebody gives up sooner');
  assert.equal(comeBackMs({ ...opening, perMs: 1 }, none), 1000);
  assert.ok(
    comeBackMs({ ...opening, perMs: 1 }, () => 0.5) > 1000,
    'a wave is spread even where slots come free quickly',
  );
});

test('where nothing runs a slot is believed to come free every 5 s', () => {
  assert.equal(comeBackMs({ ahead: 1, perMs: 0, firstTimeoutMs: Infinity }, none), 4000);
});
