import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike } from '../../../test/support/fleet.ts';

const roomy = { queue: { maxWaiters: 1000, maxShare: 1 } };

test('a freed slot is handed to the oldest waiter in the same synchronous step', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  const [running = 0, oldest = 0, next = 0] = desk.askMany(3);
  desk.release(running);
  assert.equal(desk.state(oldest), 'ready');
  assert.equal(desk.state(next), 'waiting');
  assert.deepEqual(desk.taken(), [1]);
});

test('a slot goes by age over all models of its node', () => {
  const desk = new DispatchDesk([{ models: ['a', 'b', 'c'] }], roomy);
  desk.ask({ model: 'a' });
  const order = ['c', 'a', 'b', 'a', 'c', 'b'].map((model) => desk.ask({ model }));
  for (let nth = 0; nth < order.length; nth++) desk.release(desk.served[nth] ?? 0);
  assert.deepEqual(desk.served.slice(1), order);
});

test('a slot passes over waiters that its node cannot serve', () => {
  const desk = new DispatchDesk([{ models: ['a'] }, { models: ['b'] }], roomy);
  const [a, b] = [desk.ask({ model: 'a' }), desk.ask({ model: 'b' })];
  const [olderA, youngerB] = [desk.ask({ model: 'a' }), desk.ask({ model: 'b' })];
  desk.release(b);
  assert.equal(desk.state(youngerB), 'ready');
  assert.equal(desk.state(olderA), 'waiting');
  desk.release(a);
  assert.equal(desk.state(olderA), 'ready');
});

/** One slot that is free and owed to a waiter whose delay of 10 ms has just begun. */
function deskWithHeldSlot(): { desk: DispatchDesk; delayed: number } {
  const desk = new DispatchDesk([{ slots: 1 }]);
  const [running = 0, ...accepted] = desk.askMany(11);
  const delayed = desk.ask();
  for (const id of accepted) desk.cancel(id);
  desk.release(running);
  assert.equal(desk.state(delayed), 'waiting');
  assert.deepEqual(desk.taken(), [0]);
  return { desk, delayed };
}

test('a slot whose only waiter is in its delay waits for the delay to end', () => {
  const { desk, delayed } = deskWithHeldSlot();
  desk.advance(9.9);
  assert.equal(desk.state(delayed), 'waiting');
  desk.advance(0.1);
  assert.equal(desk.state(delayed), 'ready');
});

test('no newcomer barges past a waiter that is still in its delay', () => {
  const { desk, delayed } = deskWithHeldSlot();
  desk.advance(5);
  const newcomer = desk.ask();
  assert.equal(desk.state(newcomer), 'waiting');
  desk.advance(5);
  assert.equal(desk.state(delayed), 'ready');
  assert.equal(desk.state(newcomer), 'waiting');
});

test('a newcomer without a delay does not overtake an older waiter in its delay when others stir the room', () => {
  const { desk, delayed } = deskWithHeldSlot();
  const newcomer = desk.ask();
  const leaver = desk.ask();
  desk.cancel(leaver);
  desk.dispatcher.tick(desk.now);
  desk.replaceNodes([{ slots: 1 }]);
  assert.equal(desk.state(newcomer), 'waiting');
  assert.equal(desk.state(delayed), 'waiting');
  desk.advance(10);
  assert.deepEqual([desk.state(delayed), desk.state(newcomer)], ['ready', 'waiting']);
});

test('a newcomer takes a slot that is left when every waiter in its delay is given one', () => {
  const { desk, delayed } = deskWithHeldSlot();
  desk.replaceNodes([{ slots: 2 }]);
  assert.equal(desk.state(delayed), 'waiting');
  assert.equal(desk.state(desk.ask()), 'ready');
  assert.equal(desk.state(desk.ask()), 'waiting');
});

test('a request admitted before passes waiters still in their delay', () => {
  const desk = new DispatchDesk([{ slots: 1 }, { slots: 1 }]);
  const [first = 0, second = 0, ...accepted] = desk.askMany(12);
  const delayed = desk.ask();
  for (const id of accepted) desk.cancel(id);
  desk.release(second);
  desk.retry(first);
  assert.equal(desk.state(first), 'ready');
  assert.equal(desk.state(delayed), 'waiting');
});

test('a request admitted before passes those that came after it, even when their delay ended and nobody has looked yet', () => {
  const desk = new DispatchDesk([{ slots: 1 }, { slots: 1 }]);
  const [first = 0, second = 0, ...accepted] = desk.askMany(12);
  const [older = 0, younger = 0] = desk.askMany(2);
  for (const id of accepted) desk.cancel(id);
  desk.release(second);
  // The clock moves without a tick, as it does when a timer is late.
  desk.now += 30;
  const { node } = desk.grant(first);
  desk.retry(first);
  assert.equal(desk.grant(older).node, node, 'it gets the slot that was given up');
  assert.equal(desk.grant(first).node, 1 - node);
  assert.equal(desk.state(younger), 'waiting');
});

test('a failed request stands at its old place before those that came after it', () => {
  const desk = new DispatchDesk([{ slots: 1 }, { slots: 1 }], roomy);
  const [first = 0, second = 0, third = 0] = desk.askMany(3);
  desk.retry(first);
  assert.equal(desk.state(third), 'ready', 'the slot it gave up went on at once');
  const fourth = desk.ask();
  desk.release(second);
  assert.equal(desk.state(first), 'ready');
  assert.equal(desk.state(fourth), 'waiting');
});

test('a waiter that a node failed leaves that node to those behind it', () => {
  const desk = new DispatchDesk([{ slots: 1 }, { slots: 1 }], roomy);
  const [first = 0, second = 0] = desk.askMany(2);
  const node = desk.grant(first).node;
  desk.release(first, { kind: 'overloaded', coolMs: 1000 });
  const failed = desk.ask({ tried: [{ node, generation: 1 }], readmitted: true });
  const behind = desk.ask();
  desk.advance(1000);
  assert.equal(desk.state(failed), 'waiting');
  assert.equal(desk.grant(behind).node, node);
  desk.release(second);
  assert.notEqual(desk.grant(failed).node, node);
});

test('a waiter whose client goes away leaves at once, wherever it stands', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  const [running = 0, ...waiting] = desk.askMany(5);
  desk.advance(40);
  const [w1 = 0, w2 = 0, w3 = 0, w4 = 0] = waiting;
  for (const id of [w2, w4, w1]) desk.cancel(id);
  assert.deepEqual(desk.result(w2), { kind: 'abandoned', waitedMs: 40 });
  assert.equal(desk.counts().waiters, 1);
  assert.equal(desk.counts().waitingBytes, 100);
  desk.cancel(w2);
  desk.release(running);
  assert.equal(desk.state(w3), 'ready');
});

test('leases are counted per node and model where the engine counts so, and a slot another model may use is not held', () => {
  const desk = new DispatchDesk([{ slots: 3, models: ['a', 'b'], modelSlots: 2 }], roomy);
  desk.askMany(2, { model: 'a' });
  const waitingA = desk.ask({ model: 'a' });
  assert.equal(desk.state(waitingA), 'waiting');
  const b = desk.ask({ model: 'b' });
  assert.equal(desk.state(b), 'ready');
  const waitingB = desk.ask({ model: 'b' });
  assert.equal(desk.state(waitingB), 'waiting', 'the node is full');
  desk.release(b);
  assert.equal(desk.state(waitingB), 'ready', 'the slot is of no use to the older waiter');
  desk.release(1);
  assert.equal(desk.state(waitingA), 'ready');
});

test('a slot of a model still loading on the node is not held for its waiters', () => {
  const desk = new DispatchDesk([{ slots: 1, models: ['a', 'b'], loading: ['a'] }], roomy);
  const waiting = desk.ask({ model: 'a' });
  assert.equal(desk.state(desk.ask({ model: 'b' })), 'ready');
  assert.equal(desk.state(waiting), 'waiting');
});

test('a second release of a lease frees nothing', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  const [running = 0, next = 0, last = 0] = desk.askMany(3);
  desk.release(running);
  desk.release(running);
  assert.equal(desk.state(next), 'ready');
  assert.equal(desk.state(last), 'waiting');
  assert.deepEqual(desk.taken(), [1]);
});
