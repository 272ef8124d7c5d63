import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuid7From, uuid7Source } from './uuid7.ts';

test('ids are UUIDs of version 7, none twice, and sort by the millisecond they were made in', () => {
  let wall = Date.UTC(2026, 0, 1);
  const next = uuid7Source(() => wall);
  const ids: string[] = [];
  for (let count = 0; count < 2000; count += 1) {
    if (count % 7 === 0) wall += 1;
    ids.push(next());
  }
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
  const starts = ids.map((id) => id.slice(0, 13));
  assert.deepEqual(starts, starts.toSorted());
  assert.equal(starts.at(-1), uuid7From(wall));
});

test('every random bit of an id is drawn: over many ids each takes both values about as often', () => {
  const next = uuid7Source(() => 0);
  const ids = Array.from({ length: 4000 }, () => BigInt(`0x${next().replaceAll('-', '')}`));
  for (let bit = 0; bit < 74; bit += 1) {
    // Bits 62 and 63 are the variant's.
    const at = BigInt(bit < 62 ? bit : bit + 2);
    const ones = ids.filter((id) => ((id >> at) & 1n) === 1n).length;
    assert.ok(ones > 1700 && ones < 2300, `bit ${at} was set in ${ones} of 4000`);
  }
});
