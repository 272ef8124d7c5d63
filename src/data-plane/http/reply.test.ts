import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryHeaders } from './reply.ts';

test('Retry-After is whole seconds from 1 to 60, with the milliseconds beside it', () => {
  const cases: [number, string, string][] = [
    [0, '1', '1000'],
    [999.2, '1', '1000'],
    [1000, '1', '1000'],
    [1000.5, '2', '1001'],
    [1500, '2', '1500'],
    [59_001, '60', '59001'],
    [60_000, '60', '60000'],
  ];
  for (const [retryAfterMs, seconds, ms] of cases) {
    const headers = retryHeaders({ code: 'capacity_exceeded', retryAfterMs });
    assert.deepEqual(headers, ['retry-after', seconds, 'retry-after-ms', ms]);
  }
});

test('a longer time is told as a minute, and that retrying is of no use', () => {
  for (const retryAfterMs of [60_000.1, 3_600_000, Infinity]) {
    const headers = retryHeaders({ code: 'capacity_exceeded', retryAfterMs });
    assert.deepEqual(headers, ['retry-after', '60', 'retry-after-ms', '60000', 'x-should-retry', 'false']);
  }
});

test('where no time is told only a missing model says that retrying is of no use', () => {
  assert.deepEqual(retryHeaders({ code: 'model_not_found', retryAfterMs: null }), ['x-should-retry', 'false']);
  assert.deepEqual(retryHeaders({ code: 'upstream_failed', retryAfterMs: null }), []);
});
