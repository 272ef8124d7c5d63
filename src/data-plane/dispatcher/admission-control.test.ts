import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { admissionControl } from './admission-control.ts';

const delayOf = (waiters: number, maxWaiters: number): number => {
  const decision = admissionControl(waiters, maxWaiters);
  assert.equal(decision.kind, 'accept-with-delay');
  return decision.kind === 'accept-with-delay' ? decision.delayMs : NaN;
};

test('below half of the limit a request is accepted', () => {
  for (let waiters = 0; waiters <= 9; waiters++) assert.deepEqual(admissionControl(waiters, 20), { kind: 'accept' });
});

test('from half to below four fifths it is accepted with a delay that grows linearly from 10 to 100 ms', () => {
  assert.equal(delayOf(10, 20), 10);
  assert.equal(Math.round(delayOf(15, 20)), 85);
  assert.equal(Math.round(delayOf(650, 1000)), 55);
  for (let waiters = 11; waiters <= 15; waiters++) assert.ok(delayOf(waiters, 20) > delayOf(waiters - 1, 20));
  assert.ok(delayOf(799, 1000) < 100);
});

test('from four fifths on it is rejected', () => {
  for (let waiters = 16; waiters <= 40; waiters++) assert.deepEqual(admissionControl(waiters, 20), { kind: 'reject' });
});

test('the boundaries are exact where the limit does not divide evenly', () => {
  assert.equal(admissionControl(3, 7).kind, 'accept');
  assert.equal(admissionControl(4, 7).kind, 'accept-with-delay');
  assert.equal(admissionControl(5, 7).kind, 'accept-with-delay');
  assert.equal(admissionControl(6, 7).kind, 'reject');
  assert.equal(admissionControl(0, 1).kind, 'accept');
  assert.equal(admissionControl(1, 1).kind, 'reject');
  assert.equal(admissionControl(0, 0).kind, 'reject');
});

test('more waiters never make it easier to enter, for any limit', () => {
  const order = { accept: 0, 'accept-with-delay': 1, reject: 2 };
  fc.assert(
    fc.property(fc.nat(5000), fc.integer({ min: 1, max: 5000 }), (waiters, maxWaiters) => {
      const now = admissionControl(waiters, maxWaiters);
      const next = admissionControl(waiters + 1, maxWaiters);
      assert.ok(order[next.kind] >= order[now.kind]);
      const share = waiters / maxWaiters;
      if (share < 0.5) assert.equal(now.kind, 'accept');
      if (share > 0.8) assert.equal(now.kind, 'reject');
      if (now.kind === 'accept-with-delay') assert.ok(now.delayMs >= 10 && now.delayMs < 100);
    }),
  );
});
