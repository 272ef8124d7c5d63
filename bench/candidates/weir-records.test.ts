import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordsProblem, requestsCounted } from './weir-records.ts';

test('a run is void unless rows, lines and metric all rose by its requests', () => {
  const before = { rows: 10, lines: 12, counted: 11 };
  assert.equal(recordsProblem(before, { rows: 15, lines: 17, counted: 16 }, 5), null);
  const problem = '5 requests, but 4 history rows, 5 log lines and 5 in the metric';
  assert.equal(recordsProblem(before, { rows: 14, lines: 17, counted: 16 }, 5), problem);
  assert.notEqual(recordsProblem(before, { rows: 15, lines: 18, counted: 16 }, 5), null);
  assert.notEqual(recordsProblem(before, { rows: 15, lines: 17, counted: 15 }, 5), null);
});

test('the metric is summed over its labels and nothing else', () => {
  const page = `# TYPE weir_requests_total counter
weir_requests_total{model="a",outcome="served"} 7
weir_requests_total{model="a",outcome="refused"} 30
weir_refusals_total{code="capacity_exceeded"} 30
`;
  assert.equal(requestsCounted(page), 37);
});
