import assert from 'node:assert/strict';
import { test } from 'node:test';
import { played } from '../../test/support/simulated.ts';

const HOG = 10;

/** The mean over all but the hog of their p99 waits, ms. */
async function othersWaitMs(hogTimes: number, seed: number): Promise<number> {
  const run = { fleet: 'equal', workload: 'hog', load: 1, minutes: 1, hogTimes, seed } as const;
  const { callers } = await played(run);
  const others = callers.filter(({ caller }) => caller !== HOG);
  assert.equal(others.length, 10);
  assert.ok(
    others.every(({ goodput }) => goodput > 0.9),
    `others' goodput: ${others.map(({ goodput }) => goodput).join(' ')}`,
  );
  return others.reduce((sum, { waitP99Ms }) => sum + waitP99Ms, 0) / others.length;
}

test('a flooder that sends fifty times as much as others makes them wait no longer than one that is just backlogged', async () => {
  for (const seed of [1, 3]) {
    // At twenty times it has a backlog all the time and gets its fair share of the slots.
    const backloggedMs = await othersWaitMs(20, seed);
    const floodedMs = await othersWaitMs(50, seed);
    assert.ok(floodedMs <= 1.3 * backloggedMs, `seed ${seed}: ${floodedMs} against ${backloggedMs} ms`);
  }
});

test('callers with a backlog are given equal service', async () => {
  const runs = [1, 2].map((seed) =>
    played({ fleet: 'equal', workload: 'tenants', load: 3, minutes: 2.5, maxWaiters: 1024, seed }),
  );
  for (const { jain, jainWindows, seed } of await Promise.all(runs)) {
    assert.ok(jainWindows >= 10, `${jainWindows}`);
    assert.ok(jain !== null && jain >= 0.95, `seed ${seed}: ${jain}`);
  }
});
