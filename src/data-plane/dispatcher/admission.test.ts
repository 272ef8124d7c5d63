import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike } from '../../../test/support/fleet.ts';

/** One slot, taken; whoever comes next waits or is refused. */
function busyDesk(options: ConstructorParameters<typeof DispatchDesk>[1] = {}, slots = 1): DispatchDesk {
  const desk = new DispatchDesk([{ slots }], options);
  desk.askMany(slots);
  return desk;
}

test('a newcomer finds a free slot at once, however full the waiting room is', () => {
  const desk = new DispatchDesk([{ models: ['a'] }, { models: ['b'] }], { queue: { maxShare: 1 } });
  desk.ask({ model: 'a' });
  desk.askMany(16, { model: 'a' });
  assert.equal(desk.state(desk.ask({ model: 'a' })), 'capacity-exceeded');
  assert.equal(desk.state(desk.ask({ model: 'b' })), 'ready');
});

test('of a limit of 20 waiters 0 to 9 are accepted, 10 to 15 delayed and the next rejected, all in the same instant', () => {
  const desk = busyDesk({}, 16);
  const running = [...desk.served];
  const waiting = desk.askMany(16);
  assert.equal(desk.state(desk.ask()), 'capacity-exceeded');
  assert.equal(desk.state(desk.ask()), 'capacity-exceeded');
  assert.equal(desk.counts().waiters, 16);
  const start = desk.now;
  for (const id of running) desk.release(id);
  assert.deepEqual(desk.served.slice(16), waiting.slice(0, 10), 'the accepted ones have no delay');
  for (const [nth, delayMs] of [10, 25, 40, 55, 70, 85].entries()) {
    const next = waiting[10 + nth] ?? 0;
    desk.advance(start + delayMs - 0.01 - desk.now);
    assert.equal(desk.state(next), 'waiting', `waiter ${10 + nth} before its delay is over`);
    desk.advance(0.02);
    assert.equal(desk.state(next), 'ready', `waiter ${10 + nth} after its delay`);
  }
});

test('after a refusal a place that comes free is given again, never above the 80 % line', () => {
  const desk = busyDesk();
  const waiting = desk.askMany(16);
  assert.equal(desk.state(desk.ask()), 'capacity-exceeded');
  desk.cancel(waiting[3] ?? 0);
  assert.equal(desk.state(desk.ask()), 'waiting');
  assert.equal(desk.state(desk.ask()), 'capacity-exceeded');
  assert.equal(desk.counts().waiters, 16);
});

test('one model holds at most its share of the places where the fleet serves more than one', () => {
  const desk = new DispatchDesk([{ models: ['a', 'b'] }]);
  desk.ask({ model: 'a' });
  desk.askMany(15, { model: 'a' });
  assert.equal(desk.state(desk.ask({ model: 'a' })), 'capacity-exceeded');
  assert.equal(desk.state(desk.ask({ model: 'b' })), 'waiting');
});

test('a share that does not divide evenly is rounded down', () => {
  const desk = new DispatchDesk([{ models: ['a', 'b'] }], { queue: { maxWaiters: 10, maxShare: 0.59 } });
  desk.ask({ model: 'a' });
  desk.askMany(5, { model: 'a' });
  assert.equal(desk.state(desk.ask({ model: 'a' })), 'capacity-exceeded');
});

test('where the fleet serves one model only the stages limit it', () => {
  const desk = busyDesk();
  desk.askMany(16);
  assert.equal(desk.counts().waiters, 16);
});

test('waiting bodies stay within maxBytes, and their bytes are given back', () => {
  const desk = busyDesk({ queue: { maxBytes: 1000 } });
  const first = desk.ask({ bytes: 600 });
  assert.equal(desk.state(desk.ask({ bytes: 401 })), 'capacity-exceeded');
  assert.equal(desk.state(desk.ask({ bytes: 400 })), 'waiting');
  assert.equal(desk.counts().waitingBytes, 1000);
  desk.cancel(first);
  assert.equal(desk.counts().waitingBytes, 400);
  assert.equal(desk.state(desk.ask({ bytes: 600 })), 'waiting');
});

test('a request admitted before re-enters at its old place and may use the last fifth, but no more', () => {
  const desk = new DispatchDesk([{ slots: 5 }, { slots: 1 }], { queue: { maxWaiters: 20 } });
  const running = desk.askMany(6);
  desk.askMany(16);
  assert.equal(desk.state(desk.ask()), 'capacity-exceeded');
  const onFirst = running.filter((id) => desk.grant(id).node === 0);
  // The node of five stops taking requests, so that a slot given back is not handed to those who wait.
  desk.replaceNodes([{ slots: 5, draining: true }, { slots: 1 }]);
  for (const id of onFirst.slice(0, 4)) {
    desk.retry(id);
    assert.equal(desk.state(id), 'waiting');
  }
  assert.equal(desk.counts().waiters, 20);
  const last = onFirst[4] ?? 0;
  desk.retry(last);
  assert.equal(desk.state(last), 'capacity-exceeded');
  desk.release(running.find((id) => !onFirst.includes(id)) ?? 0);
  assert.equal(desk.served.at(-1), onFirst[0], 'the oldest of those that re-entered is before everybody');
});

test('a request that allows no waiting is answered at once where it would have to wait', () => {
  const desk = busyDesk();
  const id = desk.ask({ maxWaitMs: 0 });
  const result = desk.result(id);
  assert.equal(result?.kind, 'timeout');
  assert.equal(result?.waitedMs, 0);
  assert.equal(desk.counts().waiters, 0);
  desk.release(1);
  assert.equal(desk.state(desk.ask({ maxWaitMs: 0 })), 'ready');
});

test('a wait ends exactly when it is over, each at its own time', () => {
  const desk = busyDesk();
  const short = desk.ask({ maxWaitMs: 500 });
  const long = desk.ask({ maxWaitMs: 2000 });
  desk.advance(499);
  assert.equal(desk.state(short), 'waiting');
  desk.advance(1);
  const result = desk.result(short);
  assert.equal(result?.kind, 'timeout');
  assert.equal(result?.waitedMs, 500);
  desk.advance(1500);
  assert.equal(desk.state(long), 'timeout');
  assert.equal(desk.dispatcher.nextWakeAt(), null);
});

test('Retry-After tells when the next place should come free at the rate at which slots do', () => {
  const desk = busyDesk({ queue: { maxWaiters: 100 } }, 4);
  desk.askMany(80, { maxWaitMs: 300_000 });
  // Four slots, each taken for eight seconds: one every other second.
  for (let round = 0; round < 20; round++) {
    desk.release(desk.served.at(-4) ?? 0);
    desk.ask({ maxWaitMs: 300_000 });
    desk.advance(2000);
  }
  const result = desk.result(desk.ask());
  assert.equal(result?.kind, 'capacity-exceeded');
  assert.ok(result.retryAfterMs >= 1900 && result.retryAfterMs <= 2150, `${result.retryAfterMs}`);
});

test('Retry-After takes a slot to be taken for 5 s where none has come free yet, and knows when a wait will be over', () => {
  const desk = busyDesk({ queue: { timeoutMs: 120_000 } });
  desk.askMany(16);
  const told = (): number => {
    const result = desk.result(desk.ask());
    assert.equal(result?.kind, 'capacity-exceeded');
    return result.retryAfterMs;
  };
  const [first, second] = [told(), told()];
  assert.ok(first >= 4000 && first <= 4800, `${first}`);
  assert.notEqual(first, second, 'a refused wave does not come back as one');
  // In silence the one slot is believed to come free ever later; the waits end 30 s after they began.
  desk.advance(27_500);
  assert.ok(told() <= 3000);
});

test('Retry-After is told by the nodes of a model where its share of the places is what is full', () => {
  const desk = new DispatchDesk([{ models: ['slow'] }, { models: ['fast'] }], { queue: { maxShare: 0.4 } });
  const slow = desk.ask({ model: 'slow' });
  desk.advance(20_000);
  desk.release(slow);
  desk.ask({ model: 'slow' });
  const fast = desk.ask({ model: 'fast' });
  desk.advance(100);
  desk.release(fast);
  desk.ask({ model: 'fast' });
  desk.askMany(8, { model: 'slow' });
  desk.askMany(1, { model: 'fast' });
  const result = desk.result(desk.ask({ model: 'slow' }));
  assert.equal(result?.kind, 'capacity-exceeded');
  assert.ok(result.retryAfterMs >= 15_000, `${result.retryAfterMs}`);
});

test('who waited in vain is told to come back when so many have been served that it would not again', () => {
  const desk = busyDesk();
  const [given = 0] = desk.askMany(1, { maxWaitMs: 1000 });
  desk.askMany(9);
  desk.advance(1000);
  const result = desk.result(given);
  assert.equal(result?.kind, 'timeout');
  // Nine before it and one slot, held for 5 s each as far as anybody knows, less the second it would wait.
  assert.ok(result.retryAfterMs >= 40_000 && result.retryAfterMs <= 61_000, `${result.retryAfterMs}`);
});

test('a body is refused unread only if the room is full and no node has a slot', () => {
  const desk = new DispatchDesk([{ models: ['a'] }, { models: ['b'] }], { queue: { maxShare: 1 } });
  assert.equal(desk.dispatcher.refusesUnread(desk.now), null);
  const [running = 0] = desk.askMany(1, { model: 'a' });
  desk.askMany(15, { model: 'a' });
  const other = desk.ask({ model: 'b' });
  assert.equal(desk.dispatcher.refusesUnread(desk.now), null, 'one place is left');
  desk.ask({ model: 'a' });
  assert.ok((desk.dispatcher.refusesUnread(desk.now)?.retryAfterMs ?? 0) >= 1000);
  desk.release(other);
  assert.equal(desk.dispatcher.refusesUnread(desk.now), null, 'a slot is free for some model');
  desk.ask({ model: 'b' });
  desk.release(running);
  assert.equal(desk.dispatcher.refusesUnread(desk.now), null, 'a place is free again');
});

test('a draining router answers everybody who waits or comes, and lets what runs finish', () => {
  const desk = new DispatchDesk(nodesAlike(2));
  const running = desk.askMany(2);
  const waiting = desk.askMany(3);
  desk.advance(70);
  desk.dispatcher.drain(desk.now);
  for (const id of waiting) assert.deepEqual(desk.result(id), { kind: 'draining', waitedMs: 70 });
  assert.deepEqual(desk.result(desk.ask()), { kind: 'draining', waitedMs: null });
  assert.equal(desk.counts().openLeases, 2);
  assert.equal(desk.dispatcher.nextWakeAt(), null);
  const [first = 0, second = 0] = running;
  desk.release(second);
  desk.retry(first);
  assert.equal(desk.state(first), 'ready', 'a retry of what runs may still be placed');
  desk.retry(first);
  assert.equal(desk.state(first), 'exhausted');
  assert.equal(desk.counts().openLeases, 0);
});
