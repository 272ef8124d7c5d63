import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { ProbeLoop } from './probe-loop.ts';

interface Run {
  readonly startedAt: number;
  readonly end: () => void;
}

function loopOn(clock: ManualClock, random = 0.5) {
  const runs: Run[] = [];
  const loop = new ProbeLoop({
    clock,
    random: () => random,
    probe: () => new Promise((resolve) => runs.push({ startedAt: clock.now(), end: resolve })),
    pauseMs: () => 5000,
  });
  const end = async (): Promise<void> => {
    runs.at(-1)?.end();
    await settle();
  };
  return { loop, runs, end, starts: () => runs.map(({ startedAt }) => startedAt) };
}

/** Lets what follows a resolved promise happen. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('the pause begins when a probe ends, so a slow node is not asked twice at once', async () => {
  const clock = new ManualClock();
  const { loop, end, starts } = loopOn(clock);
  loop.start(0);
  clock.advance(20_000);
  assert.deepEqual(starts(), [0]);
  await end();
  clock.advance(4999);
  assert.deepEqual(starts(), [0]);
  clock.advance(1);
  assert.deepEqual(starts(), [0, 25_000]);
});

test('pauses differ by up to a tenth each way', async () => {
  for (const [random, pauseMs] of [
    [0, 4500],
    [0.999_999, 5500],
  ] as const) {
    const clock = new ManualClock();
    const { loop, end } = loopOn(clock, random);
    loop.start(0);
    clock.advance(0);
    await end();
    assert.equal(Math.round(loop.nextAt), pauseMs);
  }
});

test('a doubt brings the next probe forward, but not more often than four times a second', async () => {
  const clock = new ManualClock();
  const { loop, end, starts } = loopOn(clock);
  loop.start(0);
  clock.advance(0);
  await end();
  clock.advance(100);
  for (let doubts = 0; doubts < 50; doubts += 1) loop.doubt();
  clock.advance(149);
  assert.deepEqual(starts(), [0]);
  clock.advance(1);
  assert.deepEqual(starts(), [0, 250]);
});

test('a doubt during a probe is followed by another probe, since that one began before', async () => {
  const clock = new ManualClock();
  const { loop, end, starts } = loopOn(clock);
  loop.start(0);
  clock.advance(10);
  loop.doubt();
  await end();
  clock.advance(250);
  assert.deepEqual(starts(), [0, 260]);
});

test('asking for a probe now waits for one that begins after the asking', async () => {
  const clock = new ManualClock();
  const { loop, end, starts } = loopOn(clock);
  loop.start(0);
  clock.advance(0);
  let ended = 0;
  const asked = [loop.probeNow(), loop.probeNow()].map((probe) => probe.then(() => (ended += 1)));
  await end();
  assert.deepEqual([starts().length, ended], [2, 0]);
  await end();
  await Promise.all(asked);
  assert.deepEqual([starts().length, ended], [2, 2]);
});

test('a stopped loop probes no more', async () => {
  const clock = new ManualClock();
  const { loop, end, starts } = loopOn(clock);
  loop.start(0);
  clock.advance(0);
  loop.stop();
  await end();
  loop.doubt();
  await loop.probeNow();
  clock.advance(60_000);
  assert.deepEqual(starts(), [0]);
});

test('a doubt that has time waits for it, and never puts a probe off', async () => {
  const clock = new ManualClock();
  const { loop, end, starts } = loopOn(clock);
  loop.start(0);
  clock.advance(0);
  await end();
  loop.doubt(1000);
  clock.advance(999);
  assert.deepEqual(starts(), [0]);
  clock.advance(1);
  assert.deepEqual(starts(), [0, 1000]);
  loop.doubt(60_000);
  await end();
  clock.advance(5000);
  assert.deepEqual(starts(), [0, 1000, 6000]);
});
