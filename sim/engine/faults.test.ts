import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultBoard, parseFaults } from './faults.ts';

test('a fault strikes the requests it is for, as often as it says, in the order given', () => {
  const board = new FaultBoard([
    { kind: 'error', on: 'probes' },
    { kind: 'reset', times: 2, afterBytes: 5 },
    { kind: 'overloaded', on: 'all', retryAfterSeconds: 3 },
  ]);
  const struck = [true, false, true, true, true].map((isInference) => board.take(isInference)?.kind);
  assert.deepEqual(struck, ['reset', 'error', 'reset', 'overloaded', 'overloaded']);
  assert.deepEqual(
    board.list().map(({ kind }) => kind),
    ['error', 'overloaded'],
  );
});

test('slowness is beside other faults and heals too', () => {
  const board = new FaultBoard([{ kind: 'slow', factor: 5, delayMs: 30, times: 1 }]);
  assert.deepEqual([board.slowFactor(), board.take(true)], [5, null]);
  assert.deepEqual([board.takeDelayMs(true), board.takeDelayMs(true), board.slowFactor()], [30, 0, 1]);
});

test('a fault may be one, several or none, and a wrong one is told by name', () => {
  assert.deepEqual(parseFaults(null), []);
  assert.equal(parseFaults({ kind: 'frozen' }).length, 1);
  assert.throws(() => parseFaults({ kind: 'sleepy' }), /not a fault: 0\.kind: .*"frozen"/);
  assert.throws(() => parseFaults([{ kind: 'reset', afterByte: 3 }]), /afterByte/);
  assert.throws(() => parseFaults('frozen'), /not a fault/);
});
