import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleLimit } from './idle-limit.ts';

test('an idle socket is trusted for the configured time while nothing else was seen', () => {
  assert.equal(new IdleLimit(60_000).limitMs(0), 60_000);
});

test('one close proves nothing: a node that restarts closes sockets of any age', () => {
  const limit = new IdleLimit(60_000);
  limit.learn(5_000, 100);
  assert.equal(limit.limitMs(101), 60_000);
  limit.learn(20_000, 200);
  assert.equal(limit.limitMs(201), 60_000, 'two closes of quite different age are no habit');
});

test('two closes at about the same age are a habit, and sockets are retired before it', () => {
  const limit = new IdleLimit(60_000);
  limit.learn(5_004, 0);
  limit.learn(5_000, 10);
  assert.equal(limit.limitMs(20), 4_000);
});

test('a node that closes at once leaves nothing to keep', () => {
  const limit = new IdleLimit(60_000);
  limit.learn(150, 0);
  limit.learn(151, 10);
  assert.equal(limit.limitMs(20), 0);
});

test('a later habit counts only where it is shorter, and never beyond the configured time', () => {
  const limit = new IdleLimit(3_000);
  limit.learn(50_000, 0);
  limit.learn(50_000, 1);
  assert.equal(limit.limitMs(2), 3_000);
  limit.learn(2_000, 3);
  limit.learn(2_000, 4);
  assert.equal(limit.limitMs(5), 1_600);
  limit.learn(2_900, 6);
  limit.learn(2_900, 7);
  assert.equal(limit.limitMs(8), 1_600);
});

test('what was learned is forgotten after ten minutes', () => {
  const limit = new IdleLimit(60_000);
  limit.learn(5_000, 0);
  limit.learn(5_000, 10);
  assert.equal(limit.limitMs(10 + 600_000), 4_000);
  assert.equal(limit.limitMs(11 + 600_000), 60_000);
});
