import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { summary } from './summary.ts';
import { Tally } from './tally.ts';

test('percentiles are of the served, and the recent ones forget after 10 s', () => {
  const clock = new ManualClock();
  const tally = new Tally(clock);
  assert.equal(tally.waitMs(0.5, 'all'), null);
  for (let waitMs = 1; waitMs <= 100; waitMs += 1) tally.end('served', waitMs);
  tally.end('refused', null);
  assert.deepEqual([tally.waitMs(0.5, 'all'), tally.waitMs(0.95, 'recent'), tally.waitMs(1, 'all')], [50, 95, 100]);
  clock.advance(10_001);
  tally.end('served', 7);
  assert.deepEqual([tally.waitMs(0.95, 'recent'), tally.waitMs(0.95, 'all')], [7, 95]);
  assert.equal(tally.servedPerSecond(20_000), 0.1);
});

function booked(sent: number, served: number): Tally {
  const tally = new Tally(new ManualClock());
  for (let turn = 0; turn < sent; turn += 1) tally.send();
  for (let turn = 0; turn < served; turn += 1) tally.end('served', 10);
  return tally;
}

test('the summary is good only if the books balance, all were answered, some served and every gauge is 0', () => {
  const good = summary(booked(3, 3), 0, []);
  assert.ok(good.isGood);
  assert.match(
    good.text,
    /^sent 3 = served 3 \+ refused 0 .*\n.*10 ms at the median.*\nEvery gauge of the router is back at 0\.$/m,
  );
  for (const [tally, unanswered, left, said] of [
    [booked(3, 2), 0, [], /sent 3 ≠ served 2/],
    [booked(3, 3), 1, [], /1 requests got no answer/],
    [booked(0, 0), 0, [], /Nothing was served/],
    [booked(3, 3), 0, ['open leases 1'], /not back at 0: open leases 1/],
    [booked(3, 3), 0, null, /does not answer any more/],
  ] as const) {
    const bad = summary(tally, unanswered, left);
    assert.equal(bad.isGood, false, bad.text);
    assert.match(bad.text, said);
  }
});
