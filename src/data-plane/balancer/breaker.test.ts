import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaker } from './breaker.ts';

const always = (): boolean => true;

/** Outcomes of requests that are no trials, `x` for a fault and `.` for an answer, all at 0. */
function breakerAfter(outcomes: string, mayOpen = always): Breaker {
  const breaker = new Breaker();
  for (const each of outcomes) {
    if (each === 'x') breaker.fault(false, 0, mayOpen);
    else breaker.success(false);
  }
  return breaker;
}

test('five faults in a row open it', () => {
  assert.equal(breakerAfter('xxxx').stateAt(0), 'closed');
  assert.equal(breakerAfter('xxxx.xxxx').stateAt(0), 'closed');
  assert.equal(breakerAfter('xxxxx').stateAt(0), 'open');
});

test('half of the last twenty open it, though never five in a row', () => {
  assert.equal(breakerAfter('.x'.repeat(9)).stateAt(0), 'closed', 'too few to judge');
  assert.equal(breakerAfter('.x'.repeat(10)).stateAt(0), 'open');
  assert.equal(breakerAfter(`${'.'.repeat(20)}${'.x'.repeat(9)}`).stateAt(0), 'closed', 'nine of twenty');
  assert.equal(breakerAfter(`${'.'.repeat(20)}${'.x'.repeat(10)}`).stateAt(0), 'open', 'the older ones are forgotten');
});

test('faults it may not act on are remembered, and it opens at the next one when it may', () => {
  let may = false;
  const breaker = breakerAfter('xxxxxxxx', () => may);
  assert.equal(breaker.stateAt(0), 'closed');
  may = true;
  assert.equal(
    breaker.fault(false, 100, () => may),
    5100,
  );
});

test('what ends while it is open, begun before, moves nothing', () => {
  const breaker = breakerAfter('xxxxx');
  breaker.success(false);
  assert.equal(breaker.fault(false, 4000, always), null);
  assert.equal(breaker.stateAt(4999), 'open');
  assert.equal(breaker.stateAt(5000), 'half-open');
  breaker.success(false);
  assert.equal(breaker.stateAt(5000), 'half-open', 'only the trial closes it');
});

test('half-open it allows one trial at a time', () => {
  const breaker = breakerAfter('xxxxx');
  assert.equal(breaker.allows(4999), false);
  assert.equal(breaker.allows(5000), true);
  assert.equal(breaker.take(5000), true);
  assert.equal(breaker.allows(5000), false);
  breaker.trialEnded();
  assert.equal(breaker.allows(5000), true);
});

test('a trial that succeeds starts a clean record and the shortest time out again', () => {
  const breaker = breakerAfter('xxxxx');
  breaker.take(5000);
  breaker.fault(true, 5000, always);
  assert.equal(breaker.stateAt(14_999), 'open');
  breaker.take(15_000);
  breaker.success(true);
  for (let nth = 0; nth < 4; nth++) assert.equal(breaker.fault(false, 15_000, always), null);
  assert.equal(breaker.fault(false, 15_000, always), 20_000);
});

test('a trial that fails does not ask whether it may: the node was out already', () => {
  const breaker = breakerAfter('xxxxx');
  breaker.take(5000);
  assert.equal(
    breaker.fault(true, 5000, () => false),
    15_000,
  );
});

test('a trial that fails after the breaker was closed for want of other nodes is one fault', () => {
  const breaker = breakerAfter('xxxxx');
  breaker.take(5000);
  breaker.close();
  assert.equal(breaker.fault(true, 5000, always), null);
  assert.equal(breaker.stateAt(5000), 'closed');
});

test('five suspicions in a row take it out for a second, an answer in between does not let it come to that', () => {
  const breaker = new Breaker();
  for (let nth = 0; nth < 4; nth++) assert.equal(breaker.suspect(false, 0, always), null);
  breaker.success(false);
  for (let nth = 0; nth < 4; nth++) assert.equal(breaker.suspect(false, 0, always), null);
  assert.equal(breaker.suspect(false, 0, always), 1000);
  assert.equal(breaker.stateAt(1000), 'half-open');
  const needed = new Breaker();
  for (let nth = 0; nth < 9; nth++)
    assert.equal(
      needed.suspect(false, 0, () => false),
      null,
    );
});

test('a suspicion is no fault until it is proven', () => {
  const breaker = breakerAfter('xxxx');
  breaker.suspect(false, 0, always);
  assert.equal(breaker.stateAt(0), 'closed');
  assert.equal(breaker.blame(0, always), 5000);
});

test('a trial that ends in a suspicion takes it out again, and only the proof makes the next time longer', () => {
  const breaker = breakerAfter('xxxxx');
  breaker.take(5000);
  assert.equal(breaker.suspect(true, 5000, always), 10_000);
  breaker.take(10_000);
  assert.equal(breaker.suspect(true, 10_000, always), 15_000);
  assert.equal(breaker.blame(11_000, always), null);
  assert.equal(breaker.blame(11_000, always), null, 'proven once');
  breaker.take(15_000);
  assert.equal(breaker.suspect(true, 15_000, always), 25_000);
});

test('a proof that comes while it would let a trial in takes it out again', () => {
  const breaker = breakerAfter('xxxxx');
  assert.equal(breaker.stateAt(5000), 'half-open');
  assert.equal(breaker.blame(6000, always), 11_000);
});
