import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { fleetOf, nodesAlike } from '../../../test/support/fleet.ts';

test('waiters of a node that goes offline are placed elsewhere, in order', () => {
  const desk = new DispatchDesk([{ slots: 1 }, { state: 'offline', slots: 2 }]);
  desk.ask();
  const waiting = desk.askMany(3);
  desk.replaceNodes([{ state: 'offline' }, { slots: 2 }]);
  assert.deepEqual(desk.served.slice(1), waiting.slice(0, 2));
  assert.deepEqual(
    waiting.slice(0, 2).map((id) => desk.grant(id).node),
    [1, 1],
  );
  assert.equal(desk.state(waiting[2] ?? 0), 'waiting');
});

test('with every node offline a request waits, and is told at the end when to look again', () => {
  const desk = new DispatchDesk([{ state: 'offline' }]);
  const id = desk.ask({ maxWaitMs: 1000 });
  assert.equal(desk.state(id), 'waiting');
  desk.dispatcher.replaceTelemetry([
    {
      index: 0,
      generation: 1,
      readAt: 0,
      running: null,
      waiting: null,
      cacheUse: null,
      nextProbeAt: desk.now + 4000,
    },
  ]);
  desk.advance(1000);
  assert.deepEqual(desk.result(id), { kind: 'no-ready-node', waitedMs: 1000, retryAfterMs: 3000 });
});

test('a node that comes back while requests wait serves them', () => {
  const desk = new DispatchDesk([{ state: 'loading' }]);
  const id = desk.ask();
  desk.advance(100);
  desk.replaceNodes([{}]);
  assert.equal(desk.result(id)?.kind, 'ready');
  assert.equal(desk.result(id)?.waitedMs, 100);
});

test('when the last node that offers a model is removed its waiters are told at once and newcomers get model-not-found', () => {
  const desk = new DispatchDesk([{ models: ['a'] }, { models: ['b'] }]);
  const running = desk.ask({ model: 'a' });
  const waiting = desk.ask({ model: 'a' });
  const other = desk.askMany(2, { model: 'b' })[1] ?? 0;
  desk.replaceNodes([null, { models: ['b'] }]);
  assert.equal(desk.state(waiting), 'no-ready-node');
  assert.equal(desk.state(other), 'waiting');
  assert.equal(desk.state(desk.ask({ model: 'a' })), 'model-not-found');
  desk.release(running);
  assert.equal(desk.counts().openLeases, 1);
});

test('a model withdrawn while its node stays is treated the same', () => {
  const desk = new DispatchDesk([{ models: ['a', 'b'] }]);
  desk.ask({ model: 'a' });
  const waiting = desk.ask({ model: 'a' });
  desk.replaceNodes([{ models: ['b'] }]);
  assert.equal(desk.state(waiting), 'no-ready-node');
});

test('a request that failed before is not told that its model never was', () => {
  const desk = new DispatchDesk([{ models: ['a'] }, { models: ['b'] }]);
  const id = desk.ask({ model: 'a' });
  desk.replaceNodes([null, { models: ['b'] }]);
  desk.retry(id, { kind: 'fault' });
  assert.equal(desk.state(id), 'exhausted');
});

test('before the fleet has settled requests for unknown models wait, and are answered when it has', () => {
  const desk = new DispatchDesk(fleetOf([], false));
  const early = desk.ask({ model: 'a' });
  const unknown = desk.ask({ model: 'nobody-has-it' });
  assert.equal(desk.state(early), 'waiting');
  desk.advance(300);
  desk.replaceNodes([{ models: ['a'] }], false);
  assert.equal(desk.state(early), 'ready');
  assert.equal(desk.state(unknown), 'waiting');
  desk.replaceNodes([{ models: ['a'] }], true);
  assert.deepEqual(desk.result(unknown), { kind: 'model-not-found', waitedMs: 300 });
});

test('a wait that ends before the fleet has settled does not claim that the model is unknown', () => {
  const desk = new DispatchDesk(fleetOf([], false));
  const id = desk.ask({ model: 'a', maxWaitMs: 200 });
  desk.advance(200);
  assert.equal(desk.state(id), 'no-ready-node');
  assert.equal(desk.state(desk.ask({ model: 'a', maxWaitMs: 0 })), 'no-ready-node');
});

test('a model that turned up while the fleet settled and went again was offered', () => {
  const desk = new DispatchDesk(fleetOf([], false));
  const id = desk.ask({ model: 'a' });
  desk.replaceNodes([{ models: ['a'], state: 'loading' }], false);
  desk.replaceNodes([{ models: ['b'] }], true);
  assert.equal(desk.state(id), 'no-ready-node');
});

test('a draining node takes nothing new and what it runs is counted to the end', () => {
  const desk = new DispatchDesk([{ slots: 2 }]);
  const running = desk.ask();
  desk.replaceNodes([{ slots: 2, draining: true }]);
  const waiting = desk.ask({ maxWaitMs: 100 });
  assert.equal(desk.state(waiting), 'waiting');
  assert.deepEqual(desk.taken(), [1]);
  desk.advance(100);
  assert.equal(desk.state(waiting), 'no-ready-node');
  desk.release(running);
  assert.deepEqual(desk.taken(), [0]);
});

test('a late release of a removed node does not free a slot of the node that reuses its index', () => {
  const desk = new DispatchDesk([{ slots: 1, generation: 1 }]);
  const old = desk.ask();
  desk.replaceNodes([null]);
  desk.replaceNodes([{ slots: 1, generation: 2 }]);
  const running = desk.ask();
  assert.equal(desk.grant(running).generation, 2);
  const waiting = desk.ask();
  assert.equal(desk.counts().openLeases, 2);
  desk.release(old, { kind: 'fault' });
  assert.equal(desk.state(waiting), 'waiting');
  assert.deepEqual(desk.taken(), [1]);
  assert.equal(desk.counts().openLeases, 1);
});

test('what the old node under an index did is not held against the new one', () => {
  const desk = new DispatchDesk([{ slots: 10, generation: 1 }, { slots: 1 }]);
  const old = desk.askMany(8).filter((id) => desk.grant(id).node === 0);
  for (const id of old.slice(0, 5)) desk.release(id, { kind: 'fault' });
  assert.equal(desk.counts().nodes[0]?.breaker, 'open');
  desk.replaceNodes([{ slots: 10, generation: 2 }, { slots: 1 }]);
  assert.equal(desk.counts().nodes[0]?.breaker, 'closed');
  for (const id of old.slice(5)) desk.release(id, { kind: 'overloaded', coolMs: 5000 });
  for (let nth = 0; nth < 5; nth++) desk.dispatcher.blame({ node: 0, generation: 1 }, desk.now);
  assert.equal(desk.counts().nodes[0]?.breaker, 'closed');
  assert.equal(desk.counts().nodes[0]?.cooling, false);
});

test('a node registered anew may be tried again by a request its predecessor failed', () => {
  const desk = new DispatchDesk([{ generation: 1 }, { state: 'loading' }]);
  const id = desk.ask();
  desk.retry(id);
  assert.equal(desk.state(id), 'waiting');
  desk.replaceNodes([{ generation: 2 }, { state: 'loading' }]);
  assert.equal(desk.grant(id).generation, 2);
});

test('a request that every node failed is exhausted, at once or when the last hope goes', () => {
  const desk = new DispatchDesk([{}, { state: 'starting' }]);
  const id = desk.ask();
  desk.retry(id);
  assert.equal(desk.state(id), 'waiting', 'the other node may yet be ready');
  desk.advance(50);
  desk.replaceNodes([{}, { state: 'offline' }]);
  assert.deepEqual(desk.result(id), { kind: 'exhausted', waitedMs: 50 });
  const alone = desk.ask();
  desk.retry(alone);
  assert.deepEqual(desk.result(alone), { kind: 'exhausted', waitedMs: null });
});

test('a wait that only a failed node could have ended is told no-ready-node, not that nodes were busy', () => {
  const desk = new DispatchDesk([{}, { state: 'loading' }]);
  const id = desk.ask({ maxWaitMs: 100 });
  desk.retry(id);
  desk.advance(100);
  assert.equal(desk.state(id), 'no-ready-node');
});

test('fewer slots than before end nothing and are kept to from then on', () => {
  const desk = new DispatchDesk([{ slots: 3 }]);
  const running = desk.askMany(3);
  const waiting = desk.ask();
  desk.replaceNodes([{ slots: 1 }]);
  assert.deepEqual(desk.taken(), [3]);
  desk.release(running[0] ?? 0);
  desk.release(running[1] ?? 0);
  assert.equal(desk.state(waiting), 'waiting');
  desk.release(running[2] ?? 0);
  assert.equal(desk.state(waiting), 'ready');
});

test('more slots are handed to waiters at once', () => {
  const desk = new DispatchDesk(nodesAlike(1));
  desk.ask();
  const waiting = desk.askMany(3);
  desk.replaceNodes([{ slots: 3 }]);
  assert.deepEqual(
    waiting.map((id) => desk.state(id)),
    ['ready', 'ready', 'waiting'],
  );
});
