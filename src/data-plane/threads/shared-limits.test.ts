import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKey } from '../../../test/support/start-data-plane.ts';
import type { KeySnapshot } from '../../fleet/snapshot.ts';
import { OwnKeyLimits } from '../auth/key-limits.ts';
import { KeyPlacing, limitsMemory, SharedKeyLimits } from './shared-limits.ts';

interface Stage {
  readonly placing: KeyPlacing;
  readonly threads: readonly SharedKeyLimits[];
  readonly publish: (keys: readonly KeySnapshot[]) => void;
}

function stage(): Stage {
  const memory = limitsMemory(2);
  const placing = new KeyPlacing(memory);
  const threads = [0, 1].map((thread) => new SharedKeyLimits(memory, thread, new OwnKeyLimits()));
  const publish = (keys: readonly KeySnapshot[]): void => {
    const places = placing.place(keys);
    for (const each of threads) each.replacePlaces(places);
  };
  return { placing, threads, publish };
}

function key(id: string, more: Partial<KeySnapshot>): KeySnapshot {
  return { ...testKey('')[1], id, ...more };
}

/** Enters on a thread; returns what to call at the end, or fails. */
function enter(limits: SharedKeyLimits | undefined, of: KeySnapshot, now = 0): () => void {
  const entered = limits?.enter(of, now);
  if (typeof entered !== 'function') throw new assert.AssertionError({ message: `refused for ${entered} ms` });
  return entered;
}

test('requests at once are counted over threads', () => {
  const { threads, publish } = stage();
  const two = key('two', { maxConcurrent: 2 });
  publish([two]);
  const [main, other] = threads;
  const leave = enter(main, two);
  enter(other, two);
  assert.equal(main?.enter(two, 0), 1000);
  assert.equal(other?.enter(two, 0), 1000);
  leave();
  enter(other, two);
  assert.equal(main?.enter(two, 0), 1000);
});

test('requests per minute are counted over threads, and refill evenly', () => {
  const { threads, publish } = stage();
  const slow = key('slow', { ratePerMinute: 3 });
  publish([slow]);
  const [main, other] = threads;
  enter(main, slow, 1000);
  enter(other, slow, 1000);
  enter(main, slow, 1000);
  assert.equal(other?.enter(slow, 1000), 20_000);
  assert.equal(main?.enter(slow, 11_000), 10_000);
  enter(other, slow, 21_000);
  assert.equal(main?.enter(slow, 21_000), 20_000);
});

test('a request refused for its rate does not count as open', () => {
  const { threads, publish } = stage();
  const both = key('both', { maxConcurrent: 1, ratePerMinute: 1 });
  publish([both]);
  const [main] = threads;
  enter(main, both)();
  assert.equal(main?.enter(both, 0), 60_000);
  enter(main, both, 60_000);
});

test('what a dead thread had open is taken off, and no more', () => {
  const { placing, threads, publish } = stage();
  const two = key('two', { maxConcurrent: 2 });
  publish([two]);
  const [main, other] = threads;
  enter(main, two);
  enter(other, two);
  placing.forget(1);
  enter(main, two);
  assert.equal(main?.enter(two, 0), 1000);
});

test('a new key is not charged with what a gone one has open', () => {
  const { threads, publish } = stage();
  const old = key('old', { maxConcurrent: 1, ratePerMinute: 1 });
  const next = key('next', { maxConcurrent: 1, ratePerMinute: 1 });
  const [main] = threads;
  publish([old]);
  const leave = enter(main, old);
  publish([]);
  publish([next]);
  const leaveNext = enter(main, next);
  assert.equal(main?.enter(next, 0), 1000);
  leave();
  assert.equal(main?.enter(next, 0), 1000, 'nor freed by its end');
  leaveNext();
  publish([next, key('third', { ratePerMinute: 1 })]);
  enter(main, key('third', { ratePerMinute: 1 }), 0);
});

test('a key without limits is not counted at all', () => {
  const { threads, publish } = stage();
  const free = key('free', {});
  publish([free]);
  for (let sent = 0; sent < 100; sent += 1) enter(threads[0], free);
});
