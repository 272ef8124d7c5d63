import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike } from '../../../test/support/fleet.ts';
import type { Priority } from '../../fleet/glossary.ts';
import { noClaim, type Claim } from './ticket.ts';

const roomy = { queue: { maxWaiters: 1000, maxShare: 1 } };

function of(priority: Priority, caller = ''): { claim: Claim } {
  return { claim: { ...noClaim, caller, priority } };
}

function by(startBy: number | null, caller = ''): { claim: Claim } {
  return { claim: { ...noClaim, caller, startBy } };
}

/** Gives back one slot after another; the order in which the tickets were served. */
function serveAll(desk: DispatchDesk, count: number): number[] {
  const from = desk.served.length;
  for (let nth = 0; nth < count; nth += 1) desk.release(desk.served.at(-1) ?? 0);
  return desk.served.slice(from);
}

test('a band is served before those below it, whoever came first', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const low = desk.ask(of('low', 'a'));
  const normal = desk.ask(of('normal', 'b'));
  const high = desk.ask(of('high', 'c'));
  assert.deepEqual(serveAll(desk, 3), [high, normal, low]);
});

test('within a band callers share as ever', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const flood = desk.askMany(3, of('high', 'flood'));
  const light = desk.ask(of('high', 'light'));
  assert.deepEqual(serveAll(desk, 2), [flood[0], light]);
});

test('a band that has waited for a third of the longest wait gets every fourth slot, so that a flood of high ones starves nobody', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const low = desk.askMany(3, of('low', 'patient'));
  const servedAt = low.map(() => 0);
  for (let second = 1; second <= 25; second += 1) {
    desk.ask(of('high', 'flood'));
    desk.advance(1000);
    desk.release(desk.served.at(-1) ?? 0);
    for (const [nth, id] of low.entries()) if (desk.state(id) === 'ready') servedAt[nth] ||= second;
  }
  assert.deepEqual(servedAt, [12, 16, 20]);
});

test('a caller’s backlog in a band never goes before others’ newcomers there, however old it is', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const flood = desk.askMany(50, of('normal', 'flood'));
  desk.advance(25_000);
  const light = desk.ask(of('normal', 'light'));
  assert.deepEqual(serveAll(desk, 2), [flood[0], light]);
});

test('of one caller’s requests the earliest deadline is first, then those without in order of arrival', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const first = desk.ask(by(null));
  const late = desk.ask(by(desk.now + 20_000));
  const soon = desk.ask(by(desk.now + 5_000));
  const second = desk.ask(by(null));
  const asSoon = desk.ask(by(desk.now + 5_000));
  assert.deepEqual(serveAll(desk, 5), [soon, asSoon, late, first, second]);
});

test('a deadline puts nobody before another caller', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const other = desk.ask(by(null, 'other'));
  desk.ask(by(null, 'pusher'));
  const pushed = desk.ask(by(desk.now + 5_000, 'pusher'));
  assert.deepEqual(serveAll(desk, 2), [other, pushed]);
});

test('a request whose deadline passes while it waits is dropped then', () => {
  const desk = new DispatchDesk(nodesAlike(1));
  desk.ask();
  const id = desk.ask(by(desk.now + 700));
  desk.advance(699);
  assert.equal(desk.state(id), 'waiting');
  desk.advance(1);
  const result = desk.result(id);
  assert.ok(result?.kind === 'deadline-unreachable');
  assert.equal(result.waitedMs, 700);
  assert.deepEqual(result.standing?.position, 1);
  assert.ok(result.retryAfterMs >= 1000);
  assert.equal(desk.counts().waiters, 0);
});

test('a request that comes too late is refused though a slot is free', () => {
  const desk = new DispatchDesk(nodesAlike(1));
  assert.equal(desk.state(desk.ask(by(desk.now))), 'deadline-unreachable');
  assert.equal(desk.counts().openLeases, 0);
  assert.equal(desk.state(desk.ask(by(desk.now + 1))), 'ready');
});

/** A desk with one slot that is held for 2 s each time, and `waiters` that wait for it, each of another caller. */
function paced(waiters: number): DispatchDesk {
  const desk = new DispatchDesk(nodesAlike(1));
  desk.ask();
  for (let nth = 0; nth < 5; nth += 1) {
    desk.ask();
    desk.advance(2000);
    desk.release(desk.served.at(-1) ?? 0);
  }
  for (let nth = 0; nth < waiters; nth += 1) desk.ask(by(null, `caller ${nth}`));
  return desk;
}

test('under pressure a deadline that will not be met is refused at once, and told when one like it will be', () => {
  const desk = paced(12);
  const result = desk.result(desk.ask(by(desk.now + 20_000)));
  assert.ok(result?.kind === 'deadline-unreachable');
  assert.equal(result.waitedMs, null);
  assert.equal(result.standing?.position, 13);
  assert.ok(Math.abs((result.standing?.estimatedWaitMs ?? 0) - 26_000) < 100, String(result.standing?.estimatedWaitMs));
  // Three must have gone for it to be the tenth.
  assert.ok(result.retryAfterMs > 3_000 && result.retryAfterMs < 8_000, String(result.retryAfterMs));
});

test('a deadline that can be met waits, and one that cannot does so too where there is no pressure', () => {
  const desk = paced(12);
  assert.equal(desk.state(desk.ask(by(desk.now + 27_000))), 'waiting');
  const quiet = paced(3);
  assert.equal(quiet.state(quiet.ask(by(quiet.now + 2_000))), 'waiting');
});

test('before anything was served nothing is forecast', () => {
  const desk = new DispatchDesk(nodesAlike(1));
  desk.askMany(13);
  assert.equal(desk.state(desk.ask(by(desk.now + 1_000))), 'waiting');
});

test('places above 80 % are for high priority alone, and only where the operator says so', () => {
  const closed = new DispatchDesk(nodesAlike(1));
  closed.askMany(17);
  assert.equal(closed.state(closed.ask(of('high'))), 'capacity-exceeded');
  const open = new DispatchDesk(nodesAlike(1), { queue: { reserved: 0.2 } });
  open.askMany(17);
  assert.equal(open.state(open.ask(of('normal'))), 'capacity-exceeded');
  const high = open.askMany(5, of('high')).map((id) => open.state(id));
  assert.deepEqual(high, ['waiting', 'waiting', 'waiting', 'waiting', 'capacity-exceeded']);
  const half = new DispatchDesk(nodesAlike(1), { queue: { reserved: 0.1 } });
  half.askMany(17);
  const some = half.askMany(3, of('high')).map((id) => half.state(id));
  assert.deepEqual(some, ['waiting', 'waiting', 'capacity-exceeded']);
});

test('a waiter is told where it stands in the order it will be served in', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const flood = desk.askMany(10, of('normal', 'flood'));
  const light = desk.ask(of('normal', 'light'));
  const urgent = desk.ask(of('high', 'urgent'));
  const position = (id: number | undefined): number | undefined =>
    desk.dispatcher.standing(id ?? 0, desk.now)?.position;
  assert.equal(position(urgent), 1);
  assert.equal(position(light), 3, 'after the urgent one and one of the flood');
  assert.equal(position(flood[9]), 12);
  assert.equal(position(99), undefined);
});

test('a full room tells where one would have stood, and for how long', () => {
  const desk = paced(16);
  const result = desk.result(desk.ask());
  assert.ok(result?.kind === 'capacity-exceeded');
  assert.equal(result.standing?.position, 17);
  assert.ok(Math.abs((result.standing?.estimatedWaitMs ?? 0) - 34_000) < 100);
});
