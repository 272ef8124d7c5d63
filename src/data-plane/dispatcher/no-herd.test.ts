import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike, seededRandom } from '../../../test/support/fleet.ts';
import { policies } from '../../fleet/glossary.ts';
import { Heap } from '../../lib/heap.ts';
import type { Grant } from './ticket.ts';

test('80 requests in the same instant land 18 to 22 on each of 4 equal idle nodes', () => {
  for (const slots of [20, 24, 64]) {
    for (let seed = 0; seed < 20; seed++) {
      const desk = new DispatchDesk(nodesAlike(4, { slots }), { seed });
      desk.askMany(80);
      for (const taken of desk.taken()) assert.ok(taken >= 18 && taken <= 22, desk.taken().join(' '));
    }
  }
});

test('unequal nodes, some already at work, stay within one of proportional however full the fleet is', () => {
  const slots = [4, 8, 16, 32];
  const total = slots.reduce((sum, each) => sum + each);
  fc.assert(
    fc.property(fc.nat(total), fc.nat(total), fc.nat(), (taken, ended, seed) => {
      const desk = new DispatchDesk(
        slots.map((each) => ({ slots: each })),
        { seed },
      );
      // Some come, some of those go, whichever; then the fleet is filled slot by slot.
      const random = seededRandom(seed);
      const running = desk.askMany(taken);
      for (let nth = 0; nth < Math.min(ended, taken); nth++) {
        const [id = 0] = running.splice(Math.floor(random() * running.length), 1);
        desk.release(id);
      }
      const before = desk.taken();
      for (let inFlight = running.length + 1; inFlight <= total; inFlight++) {
        desk.ask();
        for (const [node, each] of slots.entries()) {
          const share = (each * inFlight) / total;
          const now = desk.taken()[node] ?? 0;
          // A node that others' departures left above its share keeps what it has and gets no more.
          const most = Math.max(share + 1, before[node] ?? 0);
          assert.ok(now <= most, `node of ${each}: ${now} of ${inFlight}`);
          if (before.every((had, other) => had <= ((slots[other] ?? 0) * inFlight) / total)) {
            assert.ok(now >= share - 1, `node of ${each}: ${now} of ${inFlight}`);
          }
        }
      }
      assert.deepEqual(desk.taken(), slots);
    }),
    { numRuns: 200 },
  );
});

test('every policy fills every slot and none twice', () => {
  for (const policy of policies) {
    const desk = new DispatchDesk([{ slots: 3 }, { slots: 5 }, { slots: 1 }], { policy });
    const ids = desk.askMany(10);
    assert.deepEqual(desk.taken(), [3, 5, 1]);
    assert.equal(desk.state(ids[9] ?? 0), 'waiting');
  }
});

test('round-robin takes the nodes in turn, power-of-two keeps equal nodes close together', () => {
  const turns = new DispatchDesk(nodesAlike(4, { slots: 20 }), { policy: 'round-robin' });
  assert.deepEqual(
    turns.askMany(8).map((id) => turns.grant(id).node),
    [0, 1, 2, 3, 0, 1, 2, 3],
  );
  const pairs = new DispatchDesk(nodesAlike(4, { slots: 40 }), { policy: 'power-of-two' });
  pairs.askMany(80);
  for (const taken of pairs.taken()) assert.ok(taken >= 16 && taken <= 24, pairs.taken().join(' '));
});

/** Of 2000 requests how many reach a node that fails each in the same instant, while three others take `serviceMs` or so. */
function reachFailing(seed: number, failure: 'fault' | 'suspect', everyMs: number, serviceMs: number): number {
  const desk = new DispatchDesk(nodesAlike(4, { slots: 64 }), { seed });
  const random = seededRandom(seed);
  const endings = new Heap<number>();
  const suspected = new Map<number, Grant>();
  let reached = 0;
  for (let nth = 0; nth < 2000; nth++) {
    const next = desk.now + everyMs;
    for (let at = endings.peekKey(); at !== undefined && at <= next; at = endings.peekKey()) {
      desk.advance(at - desk.now);
      const id = endings.pop() ?? 0;
      desk.release(id);
      const culprit = suspected.get(id);
      if (culprit) desk.dispatcher.blame(culprit, desk.now);
    }
    desk.advance(next - desk.now);
    const id = desk.ask();
    for (; desk.state(id) === 'ready' && desk.grant(id).node === 0; desk.retry(id, { kind: failure })) {
      reached += 1;
      if (failure === 'suspect') suspected.set(id, desk.grant(id));
    }
    assert.equal(desk.state(id), 'ready', 'the others have slots enough');
    endings.push(desk.now + serviceMs * (0.7 + 0.6 * random()), id);
  }
  return reached;
}

test('a node that fails fast gets under 2 % of 2000 requests', () => {
  for (const seed of [1, 2, 3]) {
    const reached = reachFailing(seed, 'fault', 10, 300);
    assert.ok(reached >= 5 && reached < 40, `${reached} of 2000`);
  }
});

test('a node that answers every request with a server error gets under 2 % of 2000, though each is a fault only when another node has served it', () => {
  for (const [everyMs, serviceMs] of [
    [10, 300],
    [10, 1000],
    [30, 1000],
    [50, 2000],
  ] as const) {
    const reached = reachFailing(1, 'suspect', everyMs, serviceMs);
    assert.ok(reached >= 5 && reached < 40, `${reached} of 2000, one every ${everyMs} ms`);
  }
});
