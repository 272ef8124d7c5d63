import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAttempt, testSettlement } from '../../../test/support/settlement.ts';
import { Metrics } from './metrics.ts';

test('before any request the page names every metric and claims nothing', () => {
  const page = new Metrics().page();
  assert.match(page, /# TYPE weir_requests_total counter\n/);
  assert.match(page, /# TYPE weir_wait_seconds histogram\n/);
  assert.deepEqual(
    page.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    ['weir_history_dropped_total 0'],
  );
});

test('what an engine claims of negative tokens is not counted', () => {
  const metrics = new Metrics();
  const usage = { promptTokens: 7, completionTokens: -3, cachedTokens: null, estimated: false };
  metrics.settle(testSettlement(1, { usage }));
  assert.match(metrics.page(), /weir_tokens_total\{model="llama3",kind="prompt"\} 7\n/);
  assert.doesNotMatch(metrics.page(), /kind="completion"/);
  assert.deepEqual(metrics.totals, { requests: 1, byOutcome: { served: 1 }, promptTokens: 7, completionTokens: 0 });
});

test('every attempt counts by its node and end, all but the last as retried', () => {
  const metrics = new Metrics();
  const attempts = [testAttempt('a', { end: 'reset' }), testAttempt('b', { end: 'reset' }), testAttempt('a')];
  metrics.settle(testSettlement(1, { attempts }));
  const lines = metrics.page().split('\n');
  for (const line of [
    'weir_attempts_total{node="a",end="reset"} 1',
    'weir_attempts_total{node="b",end="reset"} 1',
    'weir_attempts_total{node="a",end="complete"} 1',
    'weir_retries_total{end="reset"} 2',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});
