import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urgencyOf } from './urgency.ts';

test('who says nothing is of normal priority and waits for any time', () => {
  assert.deepEqual(urgencyOf({}, null), { priority: 'normal', startWithinMs: null, hasTtftSlo: false });
});

test('a priority is cut down to what the key allows, and without a key to normal', () => {
  const key = { maxPriority: 'high', maxDeadlineMs: null } as const;
  const high = { 'x-weir-priority': ' High ' };
  assert.deepEqual(urgencyOf(high, key), { priority: 'high', startWithinMs: null, hasTtftSlo: false });
  assert.deepEqual(urgencyOf(high, null), { priority: 'normal', startWithinMs: null, hasTtftSlo: false });
  assert.deepEqual(urgencyOf({}, { ...key, maxPriority: 'low' }), {
    priority: 'low',
    startWithinMs: null,
    hasTtftSlo: false,
  });
  assert.deepEqual(urgencyOf({ 'x-weir-priority': 'low' }, key), {
    priority: 'low',
    startWithinMs: null,
    hasTtftSlo: false,
  });
});

test('of several times the first counts, the key’s own too', () => {
  const headers = { 'x-weir-deadline-ms': '5000', 'x-weir-ttft-slo-ms': '700' };
  assert.deepEqual(urgencyOf(headers, null), { priority: 'normal', startWithinMs: 700, hasTtftSlo: true });
  const key = { maxPriority: 'normal', maxDeadlineMs: 300 } as const;
  assert.deepEqual(urgencyOf(headers, key), { priority: 'normal', startWithinMs: 300, hasTtftSlo: true });
  assert.deepEqual(urgencyOf({ 'x-weir-deadline-ms': '0' }, null), {
    priority: 'normal',
    startWithinMs: 0,
    hasTtftSlo: false,
  });
});

test('a header that makes no sense is named', () => {
  const wrong = { 'x-weir-priority': 'urgent', 'x-weir-deadline-ms': '1.5', 'x-weir-ttft-slo-ms': '-1' };
  for (const [name, value] of Object.entries(wrong)) {
    const problem = urgencyOf({ [name]: value }, null);
    assert.ok(typeof problem === 'string' && problem.startsWith(name), name);
  }
  assert.equal(typeof urgencyOf({ 'x-weir-deadline-ms': '' }, null), 'string');
});
