import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike, type NodePlan } from '../../../test/support/fleet.ts';
import type { LeaseOutcome } from './ticket.ts';

const fault: LeaseOutcome = { kind: 'fault' };

/** Ends `count` leases of the node with the outcome, one after the other, giving slots of other nodes back unharmed. */
function endOn(desk: DispatchDesk, node: number, count: number, outcome: LeaseOutcome): void {
  for (let done = 0, asked = 0; done < count; asked++) {
    assert.ok(asked < 1000, `node ${node} is never chosen`);
    const id = desk.ask();
    const hit = desk.grant(id).node === node;
    desk.release(id, hit ? outcome : { kind: 'neutral' });
    if (hit) done += 1;
  }
}

function breakerOf(desk: DispatchDesk, node: number): string | undefined {
  return desk.counts().nodes[node]?.breaker;
}

/** Leases per node after `count` more requests that all stay open. */
function takenAfter(desk: DispatchDesk, count: number): number[] {
  desk.askMany(count);
  return desk.taken();
}

test('five faults in a row take a node out, four do not', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 8 }));
  endOn(desk, 0, 4, fault);
  assert.equal(breakerOf(desk, 0), 'closed');
  endOn(desk, 0, 1, { kind: 'served' });
  endOn(desk, 0, 4, fault);
  assert.equal(breakerOf(desk, 0), 'closed', 'an answer in between ends the row');
  endOn(desk, 0, 1, fault);
  assert.equal(breakerOf(desk, 0), 'open');
  assert.deepEqual(takenAfter(desk, 8), [0, 8], 'all go to the other');
});

test('after five seconds one request tries the node, and its success lets all in', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 4 }));
  endOn(desk, 0, 5, fault);
  desk.advance(4999);
  desk.askMany(4);
  const waiting = desk.askMany(2);
  assert.deepEqual(desk.taken(), [0, 4]);
  desk.advance(1);
  const [trial = 0, next = 0] = waiting;
  assert.equal(desk.grant(trial).node, 0);
  assert.equal(desk.state(next), 'waiting', 'only one tries it');
  desk.release(trial);
  assert.equal(breakerOf(desk, 0), 'closed');
  assert.equal(desk.grant(next).node, 0);
});

test('the one trial is not a newcomer’s to take while a waiter is in its delay, however many slots the node has', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 4 }));
  endOn(desk, 0, 5, fault);
  desk.askMany(4);
  const accepted = desk.askMany(10);
  desk.advance(4995);
  const delayed = desk.ask();
  for (const id of accepted) desk.cancel(id);
  desk.advance(5);
  const newcomer = desk.ask();
  assert.deepEqual([desk.state(delayed), desk.state(newcomer)], ['waiting', 'waiting']);
  desk.advance(5);
  assert.deepEqual([desk.state(delayed), desk.state(newcomer)], ['ready', 'waiting']);
});

test('a trial that fails doubles the time out, up to a minute', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 4 }));
  endOn(desk, 0, 5, fault);
  for (const outMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    desk.advance(outMs - 1);
    assert.equal(breakerOf(desk, 0), 'open', `${outMs} ms are not over`);
    desk.advance(1);
    assert.equal(breakerOf(desk, 0), 'half-open', `${outMs} ms are over`);
    endOn(desk, 0, 1, fault);
  }
});

test('a trial that tells nothing lets the next request try', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 4 }));
  endOn(desk, 0, 5, fault);
  desk.advance(5000);
  desk.askMany(4);
  for (const id of desk.served.slice(-4)) if (desk.grant(id).node === 0) desk.release(id, { kind: 'neutral' });
  assert.equal(breakerOf(desk, 0), 'half-open');
  endOn(desk, 0, 1, { kind: 'served' });
  assert.equal(breakerOf(desk, 0), 'closed');
});

test('never more than half of a model’s nodes are out', () => {
  const desk = new DispatchDesk(nodesAlike(4, { slots: 8 }));
  for (const node of [0, 1, 2]) endOn(desk, node, 5, fault);
  assert.deepEqual(
    [0, 1, 2, 3].map((node) => breakerOf(desk, node)),
    ['open', 'open', 'closed', 'closed'],
  );
  const alone = new DispatchDesk(nodesAlike(1, { slots: 8 }));
  endOn(alone, 0, 30, fault);
  assert.equal(breakerOf(alone, 0), 'closed');
});

test('nodes that are not ready do not count among those that may stand in', () => {
  const offline: NodePlan = { slots: 8, state: 'offline' };
  const desk = new DispatchDesk([{ slots: 8 }, offline, offline, offline]);
  endOn(desk, 0, 30, fault);
  assert.equal(breakerOf(desk, 0), 'closed');
});

test('half is judged for each model of the node', () => {
  const desk = new DispatchDesk([{ models: ['m', 'rare'], slots: 8 }, ...nodesAlike(3, { slots: 8 })]);
  endOn(desk, 0, 30, fault);
  assert.equal(breakerOf(desk, 0), 'closed', 'it is the only one that has the rare model');
});

test('when nodes are lost, breakers that would keep more than half of the rest out are closed', () => {
  const desk = new DispatchDesk(nodesAlike(4, { slots: 8 }));
  for (const node of [0, 1]) endOn(desk, node, 5, fault);
  desk.replaceNodes([{ slots: 8 }, { slots: 8 }, null, { slots: 8, state: 'offline' }]);
  assert.deepEqual(
    [0, 1].map((node) => breakerOf(desk, node)),
    ['open', 'closed'],
  );
});

test('blame after the lease has ended counts as a fault', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 8 }));
  for (let nth = 0; nth < 5; nth++) desk.dispatcher.blame({ node: 0, generation: 1 }, desk.now);
  assert.equal(breakerOf(desk, 0), 'open');
});

test('a client that leaves and a node’s own 4xx are held against nobody', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 8 }));
  endOn(desk, 0, 50, { kind: 'neutral' });
  assert.equal(breakerOf(desk, 0), 'closed');
});

test('a cooled node gets nothing until its time is over, and counts as busy', () => {
  const desk = new DispatchDesk(nodesAlike(1, { slots: 4 }));
  const [first = 0] = desk.askMany(1);
  desk.release(first, { kind: 'overloaded', coolMs: 2000 });
  assert.equal(desk.counts().nodes[0]?.cooling, true);
  const short = desk.ask({ maxWaitMs: 1999 });
  const long = desk.ask({ maxWaitMs: 2001 });
  desk.advance(1999);
  assert.equal(desk.state(short), 'timeout', 'busy, so not no-ready-node');
  desk.advance(1);
  assert.equal(desk.state(long), 'ready');
  assert.equal(breakerOf(desk, 0), 'closed');
});

test('a shorter Retry-After of the same node does not cut a longer one', () => {
  const desk = new DispatchDesk(nodesAlike(1, { slots: 4 }));
  const [a = 0, b = 0] = desk.askMany(2);
  desk.release(a, { kind: 'overloaded', coolMs: 5000 });
  desk.release(b, { kind: 'overloaded', coolMs: 1000 });
  const waiting = desk.ask();
  desk.advance(4999);
  assert.equal(desk.state(waiting), 'waiting');
  desk.advance(1);
  assert.equal(desk.state(waiting), 'ready');
});

test('a model that is loading on its node is not ready there, which is no fault and does not touch its other models', () => {
  const desk = new DispatchDesk([{ slots: 8, models: ['a', 'b'] }]);
  for (const id of desk.askMany(5, { model: 'a' })) desk.release(id, { kind: 'loading', retryAfterMs: 3000 });
  assert.equal(breakerOf(desk, 0), 'closed');
  assert.equal(desk.state(desk.ask({ model: 'b' })), 'ready');
  const short = desk.ask({ model: 'a', maxWaitMs: 2999 });
  const long = desk.ask({ model: 'a' });
  desk.advance(2999);
  assert.equal(desk.state(short), 'no-ready-node');
  desk.advance(1);
  assert.equal(desk.state(long), 'ready');
});

test('a node that refuses our key is left alone for a while', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 4 }));
  endOn(desk, 0, 1, { kind: 'unauthorized' });
  assert.deepEqual(takenAfter(desk, 4), [0, 4]);
  desk.advance(5000);
  assert.deepEqual(takenAfter(desk, 4), [4, 4]);
});

test('a doubt is settled by the second probe to finish after it: the first may have begun before', () => {
  const desk = new DispatchDesk([{ probes: 7 }]);
  desk.release(desk.ask(), { kind: 'loading', retryAfterMs: 60_000 });
  const waiting = desk.ask();
  desk.replaceNodes([{ probes: 8 }]);
  assert.equal(desk.state(waiting), 'waiting');
  desk.replaceNodes([{ probes: 9 }]);
  assert.equal(desk.state(waiting), 'ready');
});

test('a retry is paid from the budget that requests fill, not retries', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 200 }));
  const before = desk.counts().retryBudget;
  while (desk.dispatcher.mayRetry(desk.now));
  assert.ok(before >= 1);
  const ids = desk.askMany(10);
  assert.ok(Math.abs(desk.counts().retryBudget - 2) < 1e-9, 'a fifth each');
  for (const id of ids.slice(0, 5)) desk.retry(id);
  assert.ok(Math.abs(desk.counts().retryBudget - 2) < 1e-9);
});

test('a request that failed elsewhere does not wait for a node whose breaker is open', () => {
  const desk = new DispatchDesk(nodesAlike(2, { slots: 8 }));
  endOn(desk, 0, 5, fault);
  assert.equal(breakerOf(desk, 0), 'open');
  const id = desk.ask();
  assert.equal(desk.grant(id).node, 1);
  desk.retry(id, fault);
  assert.equal(desk.state(id), 'exhausted');
});
