import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartDelay } from './restart-delay.ts';

test('what keeps dying young is started again later and later, up to 10 s', () => {
  const delay = new RestartDelay();
  const delays = Array.from({ length: 9 }, (_, at) => {
    delay.started(at * 1000);
    return delay.died(at * 1000 + 500);
  });
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('what had lived for over a minute is started again at once', () => {
  const delay = new RestartDelay();
  delay.started(0);
  delay.died(10);
  delay.started(100);
  assert.equal(delay.died(60_100), 200);
  delay.started(100_000);
  assert.equal(delay.died(160_001), 100);
});
