import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/support/fleet.ts';
import { shedShare } from './spread.ts';

test('a thread with up to one and a half times the mean keeps its connections', () => {
  assert.equal(shedShare(100, 200, 2), 0);
  assert.equal(shedShare(150, 200, 2), 0);
  assert.equal(shedShare(40, 200, 2), 0);
});

test('a thread with more ends as many as are too many', () => {
  assert.equal(shedShare(160, 200, 2), 60 / 160);
  assert.equal(shedShare(400, 400, 4), 0.75);
});

test('few connections are let be, however they are spread', () => {
  assert.equal(shedShare(8, 8, 2), 0);
});

test('whatever the spread, answers bring it under one and a half times the mean, and it stays there', () => {
  const random = seededRandom(7);
  const threads = [900, 50, 50, 0];
  for (let round = 0; round < 20; round += 1) {
    // Each connection has one answer, and comes again anywhere if it ends.
    for (const [thread, before] of [...threads].entries()) {
      for (let each = 0; each < before; each += 1) {
        if (random() >= shedShare(threads[thread] ?? 0, 1000, threads.length)) continue;
        threads[thread] = (threads[thread] ?? 0) - 1;
        const next = Math.floor(random() * threads.length);
        threads[next] = (threads[next] ?? 0) + 1;
      }
    }
  }
  assert.equal(
    threads.reduce((sum, each) => sum + each),
    1000,
  );
  assert.ok(Math.max(...threads) <= 375, String(threads));
});
