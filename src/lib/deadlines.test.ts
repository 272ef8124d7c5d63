import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from './clock.ts';
import { type Deadline, Deadlines } from './deadlines.ts';

test('a deadline runs once, when its time has come', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let runs = 0;
  deadlines.set(100, () => (runs += 1));
  clock.advance(99);
  assert.equal(runs, 0);
  clock.advance(1);
  assert.equal(runs, 1);
  clock.advance(1000);
  assert.equal(runs, 1);
});

test('a cancelled deadline does not run, and cancelling it again or after it ran does nothing', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const ran: string[] = [];
  const first = deadlines.set(100, () => ran.push('first'));
  const second = deadlines.set(100, () => ran.push('second'));
  first.cancel();
  first.cancel();
  clock.advance(100);
  second.cancel();
  assert.deepEqual(ran, ['second']);
});

test('a deadline set while another one runs keeps its own time', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const ranAt: number[] = [];
  deadlines.set(100, () => deadlines.set(100, () => ranAt.push(clock.now())));
  clock.advance(250);
  assert.deepEqual(ranAt, [200]);
});

test('whatever is set and cancelled when, exactly what was not cancelled runs, at its time and in its order', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 50 }),
    ms: fc.constantFrom(0, 30, 100),
    once: fc.boolean(),
    cancels: fc.option(fc.nat(20)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const clock = new ManualClock();
      const deadlines = new Deadlines(clock);
      const set: { deadline: Deadline; dueAt: number; cancelledAt: number | null; ranAt: number | null }[] = [];
      for (const { afterMs, ms, once, cancels } of steps) {
        clock.advance(afterMs);
        const run = (): void => void (entry.ranAt = clock.now());
        const deadline = once ? deadlines.setOnce(ms, run) : deadlines.set(ms, run);
        const entry = { deadline, dueAt: clock.now() + ms, cancelledAt: null, ranAt: null } as (typeof set)[number];
        set.push(entry);
        const other = cancels === null ? undefined : set[cancels];
        if (!other || other.ranAt !== null || other.cancelledAt !== null) continue;
        other.deadline.cancel();
        other.cancelledAt = clock.now();
      }
      clock.advance(1000);
      for (const { dueAt, cancelledAt, ranAt } of set) assert.equal(ranAt, cancelledAt === null ? dueAt : null);
    }),
  );
});
