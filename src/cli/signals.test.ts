import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { watchSignals, type StopSignal } from './signals.ts';

interface Watched {
  readonly send: (signal: StopSignal) => void;
  readonly clock: ManualClock;
  readonly seen: string[];
}

function watched(): Watched {
  const source = new EventEmitter();
  const clock = new ManualClock();
  const seen: string[] = [];
  watchSignals(
    source,
    () => clock.now(),
    (signal) => seen.push(`stop ${signal}`),
    (code) => seen.push(`exit ${code}`),
  );
  return { send: (signal) => void source.emit(signal, signal), clock, seen };
}

test('the first signal asks for a drain and the second ends the process with its own code', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const { send, clock, seen } = watched();
    send(signal);
    clock.advance(500);
    send(signal);
    assert.deepEqual(seen, [`stop ${signal}`, `exit ${code}`]);
  }
});

test('one press of Ctrl-C that arrives twice is one', () => {
  const { send, clock, seen } = watched();
  send('SIGINT');
  clock.advance(499);
  send('SIGINT');
  assert.deepEqual(seen, ['stop SIGINT']);
  clock.advance(1);
  send('SIGINT');
  assert.deepEqual(seen, ['stop SIGINT', 'exit 130']);
});

test('a different second signal always ends the process at once', () => {
  const { send, seen } = watched();
  send('SIGINT');
  send('SIGTERM');
  assert.deepEqual(seen, ['stop SIGINT', 'exit 143']);
});
