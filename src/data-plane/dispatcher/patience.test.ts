import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike } from '../../../test/support/fleet.ts';
import { noClaim, type Claim } from './ticket.ts';

const SLOW = 1;
const LONG = 20_000;

/** Of a client that told by when it wants its first token, if nothing else is said. */
function prompt(tokens: number, hasTtftSlo = true): { readonly claim: Claim } {
  return { claim: { ...noClaim, promptTokens: tokens, streams: true, hasTtftSlo } };
}

/** Two nodes: the first reads 10 tokens a ms, the second one; both known by their answers. */
function fastAndSlow(slots: number, maxWaiters = 20): DispatchDesk {
  const desk = new DispatchDesk(nodesAlike(2, { slots }), { policy: 'adaptive', queue: { maxWaiters } });
  for (let nth = 0; nth < 40; nth += 1) {
    const node = nth % 2;
    // It has one to go to only.
    const id = desk.ask({ ...prompt(2000), tried: [{ node: 1 - node, generation: 1 }] });
    desk.now += 2000 / (node === SLOW ? 1 : 10);
    desk.dispatcher.firstToken(desk.grant(id).lease, desk.now);
    desk.release(id);
    desk.advance(5_000);
  }
  return desk;
}

test('a long prompt waits for a faster node that is busy, and is handed its slot', () => {
  const desk = fastAndSlow(1);
  const first = desk.ask(prompt(LONG));
  assert.notEqual(desk.grant(first).node, SLOW);
  const second = desk.ask(prompt(LONG));
  assert.equal(desk.state(second), 'waiting', 'the slow node is free, and ten times as slow');
  desk.advance(2_000);
  desk.release(first);
  assert.notEqual(desk.grant(second).node, SLOW);
});

test('one that told no objective takes a free slot at once, however slow, whoever is patient before it', () => {
  const desk = fastAndSlow(1);
  desk.ask(prompt(LONG));
  const patient = desk.ask(prompt(LONG));
  const untold = desk.ask(prompt(LONG, false));
  assert.equal(desk.state(patient), 'waiting');
  assert.equal(desk.grant(untold).node, SLOW);
  assert.equal(desk.result(untold)?.waitedMs, null, 'it was never a waiter');
});

test('slots that the engine told are all its own, however much their node has to read', () => {
  const desk = fastAndSlow(3);
  const told = desk.askMany(7, prompt(LONG));
  assert.ok(told.some((id) => desk.state(id) === 'waiting'));
  const untold = desk.askMany(4, prompt(LONG, false));
  assert.ok(untold.every((id) => desk.state(id) === 'ready'));
});

test('more that are patient than are asked do not hide one that is not', () => {
  const desk = fastAndSlow(1, 400);
  desk.ask(prompt(LONG));
  const taken = desk.ask(prompt(10, false));
  const patient = desk.askMany(60, prompt(LONG));
  const waits = desk.ask(prompt(LONG, false));
  assert.equal(desk.state(waits), 'waiting', 'both nodes are busy');
  desk.release(taken);
  assert.ok(patient.every((id) => desk.state(id) === 'waiting'));
  assert.equal(desk.grant(waits).node, SLOW);
});

test('one that waits behind somebody who is held back is handed the slot', () => {
  const desk = fastAndSlow(2);
  desk.ask(prompt(LONG));
  const others = desk.askMany(3, prompt(LONG, false));
  const [held, next] = [desk.ask(prompt(LONG)), desk.ask(prompt(LONG, false))];
  const onFast = others.find((id) => desk.grant(id).node !== SLOW);
  assert.ok(onFast !== undefined && desk.state(next) === 'waiting');
  desk.release(onFast);
  assert.deepEqual([desk.state(held), desk.state(next)], ['waiting', 'ready']);
});

test('nobody waits for a better node behind so many that it would not be sooner', () => {
  const desk = fastAndSlow(1, 400);
  desk.ask(prompt(LONG));
  const ids = desk.askMany(150, prompt(LONG));
  assert.equal(desk.state(ids[0] ?? 0), 'waiting');
  assert.ok(ids.some((id) => desk.state(id) === 'ready'));
});

test('it waits no longer than that saves', () => {
  const desk = fastAndSlow(1);
  desk.ask(prompt(LONG));
  const second = desk.ask(prompt(LONG));
  desk.advance(10_000);
  assert.equal(desk.state(second), 'waiting');
  desk.advance(12_000);
  assert.equal(desk.grant(second).node, SLOW);
});

test('a short prompt does not wait, nor is it kept from a slot that a long one declined', () => {
  const desk = fastAndSlow(1);
  desk.ask(prompt(LONG));
  const long = desk.ask(prompt(LONG));
  const short = desk.ask(prompt(10));
  assert.equal(desk.state(long), 'waiting');
  assert.equal(desk.grant(short).node, SLOW);
});

test('where the room is half full a free slot is taken, good or bad', () => {
  const desk = fastAndSlow(1);
  desk.ask(prompt(LONG));
  const ids = desk.askMany(9, prompt(LONG));
  assert.ok(ids.every((id) => desk.state(id) === 'waiting'));
  ids.push(...desk.askMany(2, prompt(LONG)));
  const served = ids.filter((id) => desk.state(id) === 'ready');
  assert.deepEqual(
    served.map((id) => desk.grant(id).node),
    [SLOW],
  );
});

test('a node that has enough to read gets no further prompt until it has caught up, though it has slots', () => {
  const desk = fastAndSlow(8);
  const waiting = (): number => desk.counts().waiters;
  const ids = desk.askMany(9, prompt(LONG));
  assert.ok(waiting() >= 5, `${waiting()} wait`);
  const [first = 0] = ids;
  desk.now += 2_000;
  const before = waiting();
  desk.dispatcher.firstToken(desk.grant(first).lease, desk.now);
  desk.advance(0);
  assert.ok(waiting() < before, 'its first token makes room for the next');
});

test('nobody is patient where nothing is known', () => {
  const desk = new DispatchDesk(nodesAlike(4, { slots: 2 }), { policy: 'adaptive' });
  const ids = desk.askMany(8, prompt(LONG));
  assert.ok(ids.every((id) => desk.state(id) === 'ready'));
});
