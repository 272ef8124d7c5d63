import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf, nodesAlike, seededRandom, type NodePlan } from '../../../test/support/fleet.ts';
import { ManualClock } from '../../lib/clock.ts';
import { Leaving } from '../leaving.ts';
import { DirectPort } from './dispatch-port.ts';
import { noClaim, type Ticket, type WaitResult } from './ticket.ts';

function portOver(nodes: readonly NodePlan[], maxWaiters = 20): { port: DirectPort; clock: ManualClock } {
  const clock = new ManualClock(5000);
  const queue = { maxWaiters, timeoutMs: 30_000, maxBytes: 1_000_000, maxShare: 0.75, reserved: 0 };
  const selection = { policy: 'adaptive', cacheTtlMs: 10 } as const;
  const port = new DirectPort({ queue, selection, random: seededRandom(1) }, clock);
  port.replaceSnapshot(fleetOf(nodes));
  return { port, clock };
}

function ask(port: DirectPort, parts: Partial<Ticket> = {}, leaving = new Leaving()): Promise<WaitResult> {
  const id = port.nextTicketId();
  const ticket = {
    id,
    model: 'm',
    bytes: 10,
    maxWaitMs: 30_000,
    tried: [],
    readmitted: false,
    claim: noClaim,
    ...parts,
  };
  return port.waitForReadyWithTimeout(ticket, leaving);
}

/** What a promise has settled to by now, or `pending`. */
function now<T>(promise: Promise<T>): Promise<T | 'pending'> {
  return Promise.race([promise, Promise.resolve().then(() => 'pending' as const)]);
}

test('waitForReadyWithTimeout is ready at once when a node has a free slot', async () => {
  const { port } = portOver([{ slots: 2 }]);
  const result = await now(ask(port));
  assert.deepEqual(result, {
    kind: 'ready',
    grant: { lease: 1, node: 0, generation: 1, upstream: 'up-m' },
    waitedMs: null,
  });
  assert.equal(port.counts().openLeases, 1);
});

test('waitForReadyWithTimeout times out when no slot comes free in time, not a millisecond before', async () => {
  const { port, clock } = portOver(nodesAlike(1));
  await ask(port);
  const waiting = ask(port, { maxWaitMs: 2000 });
  clock.advance(1999);
  assert.equal(await now(waiting), 'pending');
  clock.advance(1);
  const result = await now(waiting);
  assert.ok(result !== 'pending' && result.kind === 'timeout');
  assert.equal(result.waitedMs, 2000);
  assert.ok(result.retryAfterMs >= 1000);
  assert.equal(port.counts().waiters, 0);
});

test('waitForReadyWithTimeout is capacity-exceeded beyond the limit, and says when to come back', async () => {
  const { port } = portOver(nodesAlike(1));
  await ask(port);
  const waiting = Array.from({ length: 16 }, () => ask(port));
  const result = await now(ask(port));
  assert.ok(result !== 'pending' && result.kind === 'capacity-exceeded');
  assert.ok(result.retryAfterMs >= 1000);
  for (const each of waiting) assert.equal(await now(each), 'pending');
});

test('waitForReadyWithTimeout is abandoned as soon as the client is gone', async () => {
  const { port, clock } = portOver(nodesAlike(1));
  await ask(port);
  const client = new Leaving();
  const waiting = ask(port, {}, client);
  clock.advance(30);
  client.leave();
  assert.deepEqual(await now(waiting), { kind: 'abandoned', waitedMs: 30 });
  assert.equal(port.counts().waiters, 0);
  const late = ask(port, {}, client);
  assert.deepEqual(await now(late), { kind: 'abandoned', waitedMs: null });
  assert.equal(port.counts().openLeases, 1);
});

test('a client that leaves after it was given a slot changes nothing: the lease is its owner’s to release', async () => {
  const { port } = portOver(nodesAlike(1));
  const client = new Leaving();
  const result = await ask(port, {}, client);
  client.leave();
  assert.equal(port.counts().openLeases, 1);
  assert.ok(result.kind === 'ready');
  port.release(result.grant.lease, { kind: 'neutral' });
  assert.equal(port.counts().openLeases, 0);
});

test('waitForReadyWithTimeout is draining once the router stops, for waiters and newcomers', async () => {
  const { port } = portOver(nodesAlike(1));
  await ask(port);
  const waiting = ask(port);
  port.drain();
  assert.deepEqual(await now(waiting), { kind: 'draining', waitedMs: 0 });
  assert.deepEqual(await now(ask(port)), { kind: 'draining', waitedMs: null });
});

test('a delayed request is placed by the timer when its delay is over, with nothing else happening', async () => {
  const { port, clock } = portOver([{ state: 'loading' }]);
  const accepted = Array.from({ length: 10 }, () => ask(port));
  const delayed = ask(port);
  port.replaceSnapshot(fleetOf([{ slots: 11 }]));
  for (const each of accepted) assert.notEqual(await now(each), 'pending');
  clock.advance(9);
  assert.equal(await now(delayed), 'pending');
  clock.advance(1);
  const result = await now(delayed);
  assert.ok(result !== 'pending' && result.kind === 'ready');
  assert.equal(result.waitedMs, 10);
});

test('a cooled node is given its waiter by the timer when it may be asked again', async () => {
  const { port, clock } = portOver(nodesAlike(1));
  const first = await ask(port);
  assert.ok(first.kind === 'ready');
  port.release(first.grant.lease, { kind: 'overloaded', coolMs: 3000 });
  const waiting = ask(port);
  clock.advance(2999);
  assert.equal(await now(waiting), 'pending');
  clock.advance(1);
  const result = await now(waiting);
  assert.ok(result !== 'pending' && result.kind === 'ready');
});
