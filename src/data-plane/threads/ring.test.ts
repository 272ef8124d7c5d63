import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ring, ringMemory } from './ring.ts';

type Row = readonly [number, readonly number[], string];

function readAll(ring: Ring): Row[] {
  const rows: Row[] = [];
  ring.read((kind, numbers, text) => rows.push([kind, [...numbers], text]));
  return rows;
}

const row = fc.tuple(
  fc.integer({ min: 1, max: 9 }),
  fc.array(fc.double({ noNaN: true }), { maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);

test('what is written is read in order, across the end of the ring too', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 30 }), { minLength: 8, maxLength: 40 }), (batches) => {
      const memory = ringMemory();
      const writer = new Ring(memory);
      const reader = new Ring(memory);
      for (const batch of batches) {
        const written = batch.filter((each) => writer.write(...each));
        assert.deepEqual(readAll(reader), written);
        assert.equal(reader.hasUnread, false);
      }
    }),
    { numRuns: 60 },
  );
});

test('it takes nothing more when it is full, and all again once it was read', () => {
  const memory = ringMemory();
  const writer = new Ring(memory);
  const reader = new Ring(memory);
  for (let round = 0; round < 5; round += 1) {
    let written = 0;
    while (writer.write(1, [written, round], 'a model')) written += 1;
    assert.ok(written > 1000);
    const rows = readAll(reader);
    assert.equal(rows.length, written);
    rows.forEach(([, numbers], at) => assert.deepEqual(numbers, [at, round]));
  }
});

test('reading within reading takes each record once', () => {
  const ring = new Ring(ringMemory());
  for (let each = 0; each < 5; each += 1) ring.write(1, [each], '');
  const seen: (number | undefined)[] = [];
  const take = (_kind: number, [each]: readonly number[]): void => {
    seen.push(each);
    if (each === 1) ring.read(take);
  };
  ring.read(take);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  assert.equal(ring.hasUnread, false);
});

test('a reader is to be woken once until it wakes', () => {
  const ring = new Ring(ringMemory());
  assert.deepEqual([ring.claimWake(), ring.claimWake()], [true, false]);
  ring.wakes();
  assert.equal(ring.claimWake(), true);
});
