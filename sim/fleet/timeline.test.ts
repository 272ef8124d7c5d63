import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Timeline } from './timeline.ts';

test('what is due at the same instant runs in the order in which it was planned', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5)), (times) => {
      const timeline = new Timeline();
      const ran: [number, number][] = [];
      for (const [nth, at] of times.entries()) timeline.at(at, () => ran.push([at, nth]));
      timeline.run(10);
      assert.deepEqual(
        ran,
        ran.toSorted(([a, m], [b, n]) => a - b || m - n),
      );
      assert.equal(ran.length, times.length);
    }),
  );
});

test('what is cancelled does not run, what is planned for the past runs now', () => {
  const timeline = new Timeline();
  const ran: string[] = [];
  const cancel = timeline.at(5, () => ran.push('cancelled'));
  timeline.at(4, () => {
    cancel();
    timeline.at(1, () => ran.push(`late at ${timeline.now()}`));
  });
  timeline.run(10);
  assert.deepEqual(ran, ['late at 4']);
  assert.equal(timeline.now(), 10);
});

test('a timer that plans itself anew without time passing is reported', () => {
  const timeline = new Timeline();
  const again = (): void => void timeline.after(0, again);
  again();
  assert.throws(() => timeline.run(1), /time stands still at 0 ms/);
});
