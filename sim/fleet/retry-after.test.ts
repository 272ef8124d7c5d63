import assert from 'node:assert/strict';
import { test } from 'node:test';
import { played } from '../../test/support/simulated.ts';
import type { SyntheticName } from './workload/synthetic.ts';

const cases = [
  ['ollama', 'tenants', 1.3, 40],
  ['ollama', 'tenants', 1.6, 100],
  ['ollama', 'chats', 1.6, 40],
  ['ollama', 'hog', 1.3, 100],
  ['ollama', 'mixed', 1.3, 60],
  ['rough', 'tenants', 1.6, 40],
] as const satisfies readonly (readonly [string, SyntheticName, number, number])[];

test('Retry-After is within a factor of two of the truth in nine of ten cases, over fleets and workloads', async () => {
  for (const [fleet, workload, load, maxWaiters] of cases) {
    const { retryAfter } = await played({ fleet, workload, load, maxWaiters, minutes: 4 });
    const { judged, withinTwo } = retryAfter;
    const what = `${fleet} ${workload} ${load}: ${withinTwo} of ${judged}`;
    assert.ok(judged >= 10, what);
    assert.ok(withinTwo !== null && withinTwo >= 0.9, what);
  }
});
