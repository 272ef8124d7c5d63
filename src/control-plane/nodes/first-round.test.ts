import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { FirstRound } from './first-round.ts';

function round(settled = false) {
  const clock = new ManualClock();
  let told = 0;
  const first = new FirstRound(clock, 5000, settled, () => {
    told += 1;
  });
  return { clock, first, told: () => told };
}

test('the fleet is known once every first probe has ended', () => {
  const { first, told } = round();
  first.await('a');
  first.await('b');
  first.begin();
  first.done('a');
  assert.equal(first.settled, false);
  first.done('a');
  first.done('b');
  assert.deepEqual([first.settled, told()], [true, 1]);
});

test('a probe that does not end holds it up for five seconds at most', () => {
  const { clock, first, told } = round();
  first.await('a');
  first.begin();
  clock.advance(4999);
  assert.equal(first.settled, false);
  clock.advance(1);
  assert.deepEqual([first.settled, told()], [true, 1]);
  first.done('a');
  assert.equal(told(), 1);
});

test('with nothing to wait for it is known at once', () => {
  const { first } = round();
  first.begin();
  assert.equal(first.settled, true);
  assert.equal(round(true).first.settled, true);
});
