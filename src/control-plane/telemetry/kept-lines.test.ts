import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLines } from './kept-lines.ts';

test('the newest lines are kept in the order they came, whatever pieces they came in', () => {
  const kept = new KeptLines(4);
  assert.deepEqual(kept.last(5), []);
  kept.push('a\n', 1);
  kept.push('b\nc\n', 2);
  assert.deepEqual(kept.last(5), ['a', 'b', 'c']);
  assert.deepEqual(kept.last(2), ['b', 'c']);
  assert.deepEqual(kept.last(1), ['c']);
  assert.deepEqual(kept.last(0), []);
  kept.push('d\n', 1);
  kept.push('e\nf\n', 2);
  assert.deepEqual(kept.last(100), ['b', 'c', 'd', 'e', 'f']);
  kept.push('g\n', 1);
  assert.deepEqual(kept.last(100), ['d', 'e', 'f', 'g']);
});

test('one piece larger than what is kept is kept whole', () => {
  const kept = new KeptLines(2);
  kept.push('a\nb\nc\n', 3);
  assert.deepEqual(kept.last(3), ['a', 'b', 'c']);
  kept.push('d\n', 1);
  assert.deepEqual(kept.last(9), ['a', 'b', 'c', 'd']);
  kept.push('e\n', 1);
  assert.deepEqual(kept.last(9), ['d', 'e']);
});
