import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotLimit } from './slot-limit.ts';

/** Keeps all slots used on an engine that computes so many at once: first tokens are late beyond that. */
function drive(limit: SlotLimit, bears: number, answers: number): void {
  for (let nth = 0; nth < answers; nth += 1) {
    if (limit.slots > bears) limit.late(limit.slots, null);
    else limit.inTime(limit.slots);
  }
}

test('a guess becomes what the engine bears, from below and from above', () => {
  for (const [guess, bears] of [
    [64, 300],
    [64, 20],
    [8, 1],
  ] as const) {
    const limit = new SlotLimit(guess, false);
    drive(limit, bears, 5_000);
    assert.ok(limit.slots >= 0.7 * bears && limit.slots <= bears + 1, `${limit.slots} for ${bears}`);
  }
});

test('a number that is known holds, whatever is measured', () => {
  const limit = new SlotLimit(4, true);
  drive(limit, 100, 1_000);
  drive(limit, 1, 1_000);
  assert.equal(limit.slots, 4);
  limit.told(6, true);
  assert.equal(limit.slots, 6);
});

test('what is not used is not raised, and one slot is left whatever happens', () => {
  const limit = new SlotLimit(8, false);
  for (let nth = 0; nth < 1_000; nth += 1) limit.inTime(7);
  assert.equal(limit.slots, 8);
  for (let nth = 0; nth < 1_000; nth += 1) limit.late(8, 0);
  assert.equal(limit.slots, 1);
});

test('one crowd is one cut: what was sent before it does not cut again', () => {
  const limit = new SlotLimit(100, false);
  for (let nth = 0; nth < 50; nth += 1) limit.late(100, null);
  assert.equal(limit.slots, 80);
  limit.told(64, false);
  assert.equal(limit.slots, 80, 'a guess said again is no news');
});

test('late first tokens among others that are not are no reason to give it less', () => {
  const limit = new SlotLimit(16, false);
  for (let nth = 0; nth < 1_000; nth += 1) {
    if (nth % 5 === 0) limit.late(16, null);
    else limit.inTime(15);
  }
  assert.equal(limit.slots, 16);
});

test('after a cut it is found again within some rounds', () => {
  const limit = new SlotLimit(64, false);
  for (let nth = 0; nth < 4; nth += 1) limit.late(64, null);
  assert.equal(limit.slots, 51);
  drive(limit, 200, 2_000);
  assert.ok(limit.slots > 100, `${limit.slots}`);
});

test('a number that failed again and again is hardly tried any more', () => {
  const limit = new SlotLimit(1, false);
  let tried = 0;
  for (let nth = 0; nth < 10_000; nth += 1) {
    const { slots } = limit;
    if (slots > 1) limit.late(slots, null);
    else limit.inTime(1);
    if (limit.slots > slots) tried += 1;
  }
  assert.ok(tried >= 5 && tried < 40, `${tried} times in 10 000 answers`);
});

test('an engine that says how many it computes is given so many', () => {
  const limit = new SlotLimit(64, false);
  for (let nth = 0; nth < 4; nth += 1) limit.late(64, 60);
  assert.equal(limit.slots, 60);
});
