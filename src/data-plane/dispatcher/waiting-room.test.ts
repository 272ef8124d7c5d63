import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fairness } from './fairness.ts';
import { noClaim } from './ticket.ts';
import { WaitingRoom, type Waiter } from './waiting-room.ts';

const account = new Fairness().accountOf(noClaim);

function waiterOf(
  id: number,
  parts: Partial<Omit<Waiter, 'ticket'>> & { model?: string; readmitted?: boolean } = {},
): Waiter {
  const { model = 'm', readmitted = false, enteredAt = 0, eligibleAt = enteredAt, deadlineAt = 1000 } = parts;
  const ticket = { id, model, bytes: id, maxWaitMs: 1000, tried: [], readmitted, claim: noClaim };
  return { ticket, account, offered: true, enteredAt, eligibleAt, deadlineAt };
}

function idsOf(room: WaitingRoom, model: string): number[] {
  const ids: number[] = [];
  for (let place = room.oldestOf(model); place; place = place.after) ids.push(place.waiter.ticket.id);
  return ids;
}

test('each model’s waiters stand in order of arrival, whoever enters and leaves', () => {
  const move = fc.record({ id: fc.integer({ min: 1, max: 30 }), model: fc.constantFrom('a', 'b') });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 100 }), (moves) => {
      const room = new WaitingRoom();
      const inside = new Map<number, Waiter>();
      for (const { id, model } of moves) {
        const waiter = inside.get(id);
        if (waiter) {
          room.leave(waiter);
          room.leave(waiter);
          inside.delete(id);
        } else {
          const newcomer = waiterOf(id, { model });
          room.enter(newcomer);
          inside.set(id, newcomer);
        }
        for (const each of ['a', 'b']) {
          const expected = [...inside.values()].filter(({ ticket }) => ticket.model === each);
          const ids = expected.map(({ ticket }) => ticket.id).toSorted((a, b) => a - b);
          assert.deepEqual(idsOf(room, each), ids);
          assert.equal(room.sizeOf(each), ids.length);
          assert.equal([...room.models()].includes(each), ids.length > 0);
        }
        assert.equal(room.size, inside.size);
        assert.equal(
          room.bytes,
          [...inside.keys()].reduce((sum, each) => sum + each, 0),
        );
      }
    }),
  );
});

test('it wakes when a delay ends and when a wait ends, and tells whose wait is over', () => {
  const room = new WaitingRoom();
  assert.equal(room.nextWakeAt(), Infinity);
  const delayed = waiterOf(1, { eligibleAt: 50, deadlineAt: 900 });
  const other = waiterOf(2, { deadlineAt: 300 });
  room.enter(delayed);
  room.enter(other);
  assert.equal(room.nextWakeAt(), 50);
  assert.deepEqual(room.overdue(50), []);
  assert.equal(room.nextWakeAt(), 300);
  assert.deepEqual(room.overdue(300), [other]);
  assert.deepEqual(room.overdue(900), [delayed]);
});

test('a waiter whose delay and wait are both over by now is told once', () => {
  const room = new WaitingRoom();
  const waiter = waiterOf(1, { eligibleAt: 50, deadlineAt: 60 });
  room.enter(waiter);
  assert.deepEqual(room.overdue(100), [waiter]);
});

test('the wakes of those who left do not pile up, and those of whoever stays are kept', () => {
  const room = new WaitingRoom();
  const stays = waiterOf(1, { eligibleAt: 5000, deadlineAt: 9000 });
  room.enter(stays);
  for (let id = 2; id < 1000; id++) {
    const leaver = waiterOf(id, { deadlineAt: 100 + id });
    room.enter(leaver);
    room.leave(leaver);
  }
  // Some of the last ones may be left; each is passed over for nothing.
  let passed = 0;
  for (; room.nextWakeAt() < 5000; passed++) assert.deepEqual(room.overdue(room.nextWakeAt()), []);
  assert.ok(passed <= 68, `${passed}`);
  assert.equal(room.nextWakeAt(), 5000);
  assert.deepEqual(room.overdue(9000), [stays]);
  room.leave(stays);
  assert.equal(room.nextWakeAt(), Infinity);
});

test('the latest delay is that of the newcomers; a request that re-entered behind them hides none', () => {
  const room = new WaitingRoom();
  assert.equal(room.latestEligibleAt(), -Infinity);
  room.enter(waiterOf(1, { model: 'a', eligibleAt: 40 }));
  room.enter(waiterOf(2, { model: 'b', eligibleAt: 70 }));
  room.enter(waiterOf(3, { model: 'b', eligibleAt: 10, readmitted: true }));
  assert.equal(room.latestEligibleAt(), 70);
});
