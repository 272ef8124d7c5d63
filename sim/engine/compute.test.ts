import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../../src/lib/clock.ts';
import { Compute, type Pace, type Sequence } from './compute.ts';

const PACE: Pace = { slots: 2, promptTokensPerSecond: 1000, stepMs: 10, stepPerSequenceMs: 5, slowFactor: () => 1 };

function logged(clock: ManualClock, log: string[], name: string, promptTokens: number, outputTokens: number): Sequence {
  return {
    promptTokens,
    outputTokens,
    onStart: () => log.push(`${clock.now()} ${name} start`),
    onToken: (index) => log.push(`${clock.now()} ${name} ${index}`),
    onEnd: () => log.push(`${clock.now()} ${name} end`),
  };
}

test('a lone sequence takes its prompt, then a step for each token after the first', () => {
  const clock = new ManualClock();
  const log: string[] = [];
  new Compute(PACE, clock).submit(logged(clock, log, 'a', 100, 3));
  clock.advance(1000);
  assert.deepEqual(log, ['0 a start', '100 a 0', '115 a 1', '130 a 2', '130 a end']);
});

test('prompts are processed one after the other and a larger batch has longer steps', () => {
  const clock = new ManualClock();
  const log: string[] = [];
  const compute = new Compute(PACE, clock);
  compute.submit(logged(clock, log, 'a', 10, 3));
  compute.submit(logged(clock, log, 'b', 10, 2));
  clock.advance(1000);
  // b's prompt ends at 20, in the middle of a's step of 15 ms: it joins the one after, which takes 20.
  const expected = ['0 a start', '0 b start', '10 a 0', '20 b 0', '25 a 1', '45 a 2', '45 a end', '45 b 1', '45 b end'];
  assert.deepEqual(log, expected);
});

test('sequences beyond the slots wait in order and start the moment a slot is free', () => {
  const clock = new ManualClock();
  const log: string[] = [];
  const compute = new Compute({ ...PACE, slots: 1 }, clock);
  for (const name of ['a', 'b', 'c']) compute.submit(logged(clock, log, name, 10, 1));
  assert.deepEqual([compute.running, compute.waiting], [1, 2]);
  clock.advance(1000);
  assert.deepEqual(
    log.filter((line) => /start|end/.test(line)),
    ['0 a start', '10 a end', '10 b start', '20 b end', '20 c start', '30 c end'],
  );
});

test('a cancel frees the slot at once, in whatever phase, and the cancelled hear nothing more', () => {
  const clock = new ManualClock();
  const log: string[] = [];
  const compute = new Compute({ ...PACE, slots: 1 }, clock);
  const cancels = ['prompt', 'decode', 'wait', 'last'].map((name) => compute.submit(logged(clock, log, name, 10, 100)));
  clock.advance(5);
  cancels[0]?.();
  clock.advance(30);
  cancels[2]?.();
  cancels[1]?.();
  assert.deepEqual([compute.running, compute.waiting], [1, 0]);
  cancels[3]?.();
  cancels[3]?.();
  assert.deepEqual([compute.running, compute.waiting], [0, 0]);
  clock.advance(10_000);
  assert.deepEqual(log, ['0 prompt start', '5 decode start', '15 decode 0', '30 decode 1', '35 last start']);
});

test('a timer that fires late costs no throughput', () => {
  let now = 0;
  const timers: { dueAt: number; run: () => void }[] = [];
  // Every timer is 7 ms late.
  const late = {
    now: () => now,
    wall: () => now,
    after: (ms: number, run: () => void) => {
      timers.push({ dueAt: now + ms + 7, run });
      return () => undefined;
    },
  };
  let endedAt = 0;
  const compute = new Compute({ ...PACE, stepMs: 1, stepPerSequenceMs: 0 }, late);
  compute.submit({
    promptTokens: 10,
    outputTokens: 201,
    onStart: () => undefined,
    onToken: () => undefined,
    onEnd: () => {
      endedAt = now;
    },
  });
  for (let timer = timers.shift(); timer; timer = timers.shift()) {
    now = timer.dueAt;
    timer.run();
  }
  // 10 ms of prompt and 200 steps of 1 ms, and not 8 ms for each.
  assert.ok(endedAt >= 210 && endedAt <= 220, `ended at ${endedAt}`);
});

test('slots are never exceeded, order is kept and everything is free at the end, whatever is cancelled', () => {
  const plan = fc.array(
    fc.record({
      prompt: fc.integer({ min: 1, max: 50 }),
      output: fc.integer({ min: 0, max: 20 }),
      pause: fc.integer({ min: 0, max: 60 }),
      cancelAfter: fc.option(fc.integer({ min: 0, max: 300 })),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(plan, fc.integer({ min: 1, max: 5 }), (steps, slots) => {
      const clock = new ManualClock();
      const compute = new Compute({ ...PACE, slots }, clock);
      const started: number[] = [];
      const over = new Set<number>();
      steps.forEach(({ prompt, output, pause, cancelAfter }, index) => {
        const cancel = compute.submit({
          promptTokens: prompt,
          outputTokens: output,
          onStart: () => {
            started.push(index);
            assert.ok(compute.running <= slots);
          },
          onToken: () => assert.ok(!over.has(index), 'a token after the end'),
          onEnd: () => over.add(index),
        });
        if (cancelAfter !== null) {
          clock.after(cancelAfter, () => {
            over.add(index);
            cancel();
          });
        }
        clock.advance(pause);
        assert.ok(compute.waiting === 0 || compute.running === slots, 'a slot is free while someone waits');
      });
      clock.advance(1e6);
      assert.deepEqual([compute.running, compute.waiting, over.size], [0, 0, steps.length]);
      assert.deepEqual(
        started,
        started.toSorted((a, b) => a - b),
      );
    }),
  );
});
