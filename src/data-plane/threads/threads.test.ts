import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Asked, ThreadStage } from '../../../test/support/thread-stage.ts';
import { fleetOf } from '../../../test/support/fleet.ts';
import type { LeaseOutcome } from '../dispatcher/ticket.ts';
import { Shelf, shelfMemory } from './shelf.ts';

function leaseOf({ result }: Asked): number {
  assert.equal(result?.kind, 'ready');
  return result.grant.lease;
}

const served: LeaseOutcome = { kind: 'served' };

/** A stage on which the thread has been given a slot, returned it, and has found others laid out. */
async function supplied(slots: number): Promise<ThreadStage> {
  const stage = new ThreadStage([{ slots }], 1);
  const first = stage.ask(0);
  await stage.settle();
  stage.threads[0]?.port.release(leaseOf(first), served);
  await stage.settle();
  // As whatever else wakes it.
  stage.sharing.hear();
  stage.wakes = 0;
  return stage;
}

test('a slot laid out is taken without waking anybody, and counts as open only once it is taken', async () => {
  const stage = await supplied(8);
  const asked = stage.ask(0);
  await stage.answers();
  const lease = leaseOf(asked);
  assert.equal(stage.hasWork, false);
  assert.equal(stage.wakes, 0);
  assert.equal(stage.main.counts().openLeases, 1);
  stage.threads[0]?.port.release(lease, served);
  assert.equal(stage.hasWork, false, 'nor is it given back with a wake while nobody waits');
  assert.equal(stage.main.counts().openLeases, 0);
});

test('slots laid out are called back before anybody waits', async () => {
  const stage = await supplied(8);
  const asked = Array.from({ length: 8 }, () => stage.ask(null));
  await stage.answers();
  for (const each of asked) leaseOf(each);
  const ninth = stage.ask(null);
  const tenth = stage.ask(0);
  await stage.settle();
  assert.deepEqual([ninth.result, tenth.result], [null, null]);
  assert.equal(stage.main.counts().waiters, 2);
  const [first, second] = asked;
  assert.ok(first && second);
  stage.main.release(leaseOf(first), served);
  stage.main.release(leaseOf(second), served);
  await stage.settle();
  assert.equal(stage.main.counts().openLeases, 8);
  leaseOf(ninth);
  leaseOf(tenth);
});

test('what has lain for over 50 ms is not taken, and no slot stays held for a thread that asks no more', async () => {
  const stage = await supplied(8);
  stage.clock.advance(51);
  const asked = stage.ask(0);
  await stage.answers();
  assert.equal(asked.result, null, 'the dispatcher has to be asked');
  await stage.settle();
  stage.threads[0]?.port.release(leaseOf(asked), served);
  await stage.settle();
  stage.clock.advance(100);
  stage.sharing.hear();
  assert.equal(stage.sharing.recall(), false, 'there is nothing left to call back');
});

test('when a thread dies its leases, its tickets and what was laid out for it are given back', async () => {
  const stage = await supplied(4);
  const [silent, taken] = [stage.ask(0), stage.ask(0)];
  await stage.settle();
  leaseOf(silent);
  leaseOf(taken);
  const others = [stage.ask(null), stage.ask(null)];
  await stage.settle();
  const waiting = [stage.ask(0), stage.ask(null)];
  await stage.settle();
  assert.equal(stage.main.counts().waiters, 2);
  const [thread] = stage.threads;
  assert.ok(thread);
  stage.sharing.close(thread.desk);
  await stage.settle();
  assert.deepEqual([stage.main.counts().waiters, stage.main.counts().openLeases], [0, 3]);
  assert.equal(waiting[0]?.result, null);
  for (const each of [...others, ...waiting.slice(1)]) stage.main.release(leaseOf(each), served);
  assert.equal(stage.main.counts().openLeases, 0);
});

test('of a slot laid out either the thread or the dispatcher gets hold, never both', () => {
  const shelf = new Shelf(shelfMemory());
  shelf.lay(3, 7);
  assert.equal(shelf.take(3, 6), false, 'another lay there before');
  assert.equal(shelf.take(3, 7), true);
  assert.deepEqual([shelf.clear(3, 7), shelf.take(3, 7), shelf.isTaken(3, 7)], [false, false, true]);
  shelf.lay(3, 8);
  assert.equal(shelf.clear(3, 8), true);
  assert.deepEqual([shelf.take(3, 8), shelf.isTaken(3, 8)], [false, false]);
});

test('a new snapshot and a fault call back what was chosen before', async () => {
  for (const change of [
    async (stage: ThreadStage) => stage.main.replaceSnapshot(fleetOf([{ slots: 8, draining: true }])),
    async (stage: ThreadStage) => {
      const broken = stage.ask(null);
      await stage.answers();
      stage.main.release(leaseOf(broken), { kind: 'overloaded', coolMs: 5000 });
    },
    async (stage: ThreadStage) => stage.main.drain(),
  ]) {
    const stage = await supplied(8);
    await change(stage);
    const asked = stage.ask(0);
    await stage.settle();
    assert.notEqual(asked.result?.kind, 'ready');
  }
});

test('a slot given back on a thread wakes the dispatcher where somebody waits', async () => {
  const stage = new ThreadStage([{ slots: 1 }], 2);
  const first = stage.ask(0);
  await stage.settle();
  const second = stage.ask(1);
  await stage.settle();
  assert.equal(second.result, null);
  stage.threads[0]?.port.release(leaseOf(first), served);
  await stage.settle();
  leaseOf(second);
});

test('a slot given back while nobody waits is known within 20 ms', async () => {
  const stage = new ThreadStage([{ slots: 1 }], 1);
  const first = stage.ask(0);
  await stage.settle();
  stage.wakes = 0;
  stage.threads[0]?.port.release(leaseOf(first), served);
  assert.equal(stage.hasWork, false);
  stage.clock.advance(20);
  assert.equal(stage.wakes, 1);
});

test('what is asked after a failure is answered from the other thread', async () => {
  const stage = new ThreadStage([{}], 1);
  const port = stage.threads[0]?.port;
  assert.ok(port);
  const answers = Promise.all([
    port.mayRetry(),
    port.retryAfterMs(),
    port.nextProbeMs('m'),
    port.isMissingEverywhere('m'),
  ]);
  await stage.settle();
  const [mayRetry, retryAfterMs, nextProbeMs, isMissing] = await answers;
  assert.deepEqual([mayRetry, nextProbeMs, isMissing], [true, 5000, false]);
  assert.ok(retryAfterMs >= 4000 && retryAfterMs <= 4800);
});

test('a crowd that is refused on another thread before its bodies are read is told times one freed place apart', async () => {
  const stage = new ThreadStage([{}], 1, 5);
  const port = stage.threads[0]?.port;
  assert.ok(port);
  for (let nth = 0; nth < 5; nth += 1) stage.ask(null);
  await stage.settle();
  const told = (): number => port.refusesUnread()?.retryAfterMs ?? 0;
  const crowd = [told(), told(), told()];
  // The dispatcher hears of them, and goes on from there.
  stage.sharing.hear();
  crowd.push(told());
  for (const [nth, ms] of crowd.entries()) {
    const before = crowd[nth - 1];
    // One slot, which is believed to be held for 5 s.
    if (before !== undefined) assert.ok(ms > before + 2_000, crowd.join(' '));
  }
  assert.equal(port.refusesUnread()?.standing?.position, 5);
});

test('a waiter on another thread is told where it stands', async () => {
  const stage = new ThreadStage([{}], 1);
  const port = stage.threads[0]?.port;
  assert.ok(port);
  stage.ask(null);
  stage.ask(null);
  const asked = stage.ask(0);
  await stage.settle();
  assert.equal(asked.result, null);
  const answers = Promise.all([port.standing(asked.id), port.standing(12_345)]);
  await stage.settle();
  const [standing, nobody] = await answers;
  assert.equal(standing?.position, 2);
  assert.ok(standing.estimatedWaitMs > 0);
  assert.equal(nobody, null);
});

const command = fc.record({
  kind: fc.constantFrom('ask', 'ask', 'ask', 'release', 'release', 'leave', 'step', 'step', 'time', 'die'),
  thread: fc.constantFrom(null, 0, 1),
  at: fc.nat(50),
});

test('however threads ask, return, leave and die: no slot too many, one answer each, and nothing left open', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 120 }), async (commands) => {
      const stage = new ThreadStage([{ slots: 3 }, { slots: 4 }], 2);
      const dead = new Set<number>();
      let open: { readonly asked: Asked; readonly thread: number | null }[] = [];
      const portOf = (thread: number | null) => (thread === null ? stage.main : stage.threads[thread]?.port);
      for (const { kind, thread, at } of commands) {
        if (thread !== null && dead.has(thread)) continue;
        const picked = open[at % Math.max(1, open.length)];
        if (kind === 'ask') open.push({ asked: stage.ask(thread), thread });
        else if (kind === 'step') await stage.step(at);
        else if (kind === 'time') stage.clock.advance(at);
        else if (kind === 'die' && thread !== null && at > 25) {
          const desk = stage.threads[thread]?.desk;
          if (desk) stage.sharing.close(desk);
          dead.add(thread);
          open = open.filter((each) => each.thread !== thread);
        } else if (picked && kind === 'leave' && picked.asked.result === null) {
          picked.asked.leaving.leave();
          open = open.filter((each) => each !== picked);
        } else if (picked && kind === 'release' && picked.asked.result?.kind === 'ready') {
          portOf(picked.thread)?.release(picked.asked.result.grant.lease, served);
          open = open.filter((each) => each !== picked);
        }
        await stage.answers();
        const running = [0, 0];
        for (const { asked } of open) {
          if (asked.result?.kind !== 'ready') continue;
          const { node } = asked.result.grant;
          running[node] = (running[node] ?? 0) + 1;
        }
        assert.ok((running[0] ?? 0) <= 3 && (running[1] ?? 0) <= 4, `running: ${running.join(', ')}`);
      }
      // All that is left is served.
      for (let round = 0; open.length > 0; round += 1) {
        assert.ok(round < 1000, 'everybody is answered in the end');
        await stage.settle();
        for (const { asked, thread } of open) {
          if (asked.result?.kind === 'ready') portOf(thread)?.release(asked.result.grant.lease, served);
        }
        open = open.filter(({ asked }) => asked.result === null);
        stage.clock.advance(100);
      }
      await stage.settle();
      const { openLeases, waiters, waitingBytes, nodes } = stage.main.counts();
      assert.deepEqual([openLeases, waiters, waitingBytes, ...nodes.map(({ taken }) => taken)], [0, 0, 0, 0, 0]);
    }),
    { numRuns: 150 },
  );
});
