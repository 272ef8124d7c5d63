import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './spelling.ts';

const words = ['maxWaiters', 'timeout', 'maxBytes', 'maxShare', 'listen'];

test('a misspelt word has a nearest one', () => {
  assert.equal(nearest('maxWaiter', words), 'maxWaiters');
  assert.equal(nearest('max_waiters', words), 'maxWaiters');
  assert.equal(nearest('timout', words), 'timeout');
  assert.equal(nearest('lisetn', words), 'listen');
});

test('a word far from all others has none', () => {
  assert.equal(nearest('colour', words), null);
  assert.equal(nearest('x', words), null);
});

test('a swap of neighbours is one edit', () => {
  assert.equal(editDistance('abcd', 'abdc'), 1);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('', 'abc'), 3);
});
