import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike, seededRandom } from '../../../test/support/fleet.ts';
import { policies } from '../../fleet/glossary.ts';
import { Heap } from '../../lib/heap.ts';

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

test('a node that fails fast gets under 2 % of 2000 requests', () => {
  for (const seed of [1, 2, 3]) {
    const desk = new DispatchDesk(nodesAlike(4, { slots: 16 }), { seed });
    const random = seededRandom(seed);
    const endings = new Heap<number>();
    let onFailing = 0;
    const start = (id: number): void => {
      // The failing node answers within the same instant, over and over; the others take 200 to 400 ms.
      for (; desk.state(id) === 'ready' && desk.grant(id).node === 0; desk.retry(id, { kind: 'fault' })) onFailing += 1;
      if (desk.state(id) === 'ready') endings.push(desk.now + 200 + 200 * random(), id);
    };
    // 100 a second: 30 in flight on the 48 slots of the other three.
    for (let nth = 0; nth < 2000; nth++) {
      const next = desk.now + 10;
      for (let at = endings.peekKey(); at !== undefined && at <= next; at = endings.peekKey()) {
        desk.advance(at - desk.now);
        desk.release(endings.pop() ?? 0);
      }
      desk.advance(next - desk.now);
      start(desk.ask());
    }
    assert.ok(onFailing >= 5, 'it was tried');
    assert.ok(onFailing < 40, `${onFailing} of 2000`);
  }
});
