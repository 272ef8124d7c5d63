import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';

const queue = { maxWaiters: 20, timeoutMs: 30_000, maxBytes: 1_000_000, maxShare: 0.75, reserved: 0 };

function change(desk: DispatchDesk, maxWaiters: number, policy: 'adaptive' | 'least-loaded' = 'adaptive'): void {
  const selection = { policy, cacheTtlMs: 10 };
  desk.dispatcher.replaceSettings({ queue: { ...queue, maxWaiters }, selection }, desk.now);
}

test('a smaller room keeps who waits in it, refuses newcomers, and a larger one lets them in again', () => {
  const desk = new DispatchDesk([{ slots: 1 }]);
  const running = desk.ask();
  const waiting = desk.askMany(6);
  change(desk, 5);
  assert.equal(desk.state(desk.ask()), 'capacity-exceeded');
  assert.deepEqual([...new Set(waiting.map((id) => desk.state(id)))], ['waiting']);
  change(desk, 100);
  assert.equal(desk.state(desk.ask()), 'waiting');
  desk.release(running);
  assert.equal(desk.state(waiting[0] ?? 0), 'ready');
});

test('leases taken under one policy end under another, and a breaker that is open stays so', () => {
  const desk = new DispatchDesk([{ slots: 4 }, { slots: 4 }, { slots: 4 }], { policy: 'adaptive' });
  const before = desk.askMany(3);
  change(desk, 20, 'least-loaded');
  const between = desk.askMany(3);
  for (const id of before) desk.release(id);
  change(desk, 20, 'adaptive');
  const after = desk.askMany(3);
  for (const id of [...between, ...after]) desk.release(id);
  assert.deepEqual([desk.counts().openLeases, desk.taken()], [0, [0, 0, 0]]);

  for (let round = 0; round < 5; round += 1) {
    for (const id of desk.askMany(8)) desk.release(id, { kind: desk.grant(id).node === 0 ? 'fault' : 'served' });
  }
  assert.equal(desk.counts().nodes[0]?.breaker, 'open');
  change(desk, 20, 'least-loaded');
  assert.equal(desk.counts().nodes[0]?.breaker, 'open');
  assert.ok(desk.askMany(6).every((id) => desk.grant(id).node !== 0));
});
