import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { readFleet } from './fleet-file.ts';
import { simulate } from './simulate.ts';
import { capacityOf } from './workload/schedule.ts';
import { synthesize, type SyntheticName } from './workload/synthetic.ts';

const MINUTES = 4;
const cases = [
  ['ollama', 'tenants', 1.3, 40],
  ['ollama', 'tenants', 1.6, 100],
  ['ollama', 'chats', 1.6, 40],
  ['ollama', 'hog', 1.3, 100],
  ['equal', 'mixed', 1.6, 40],
  ['rough', 'tenants', 1.6, 40],
] as const satisfies readonly (readonly [string, SyntheticName, number, number])[];

test('Retry-After is within a factor of two of the truth in nine of ten cases, over fleets and workloads', async () => {
  for (const [fleetName, name, load, maxWaiters] of cases) {
    const fleet = await readFleet(fileURLToPath(new URL(`fleets/${fleetName}.yaml`, import.meta.url)));
    const perSecond = load * capacityOf(fleet, synthesize(name, 2000, 1).offers);
    const { retryAfter } = simulate({
      fleet,
      workload: synthesize(name, Math.ceil(perSecond * MINUTES * 60), 1),
      policy: 'weir:least-loaded',
      load,
      seed: 1,
      deadlineMs: 60_000,
      patienceMs: 600_000,
      comebacks: 0,
      warmUp: 0,
      objective: { ttftMs: 2000, ttftMsPerPromptToken: 0.25, tpotMs: 100 },
      weir: {
        queue: { maxWaiters, timeoutMs: 30_000, maxBytes: 1e9, maxShare: 0.75, reserved: 0 },
        told: null,
        cacheTtlMs: 10,
        firstByteMs: 300_000,
        betweenBytesMs: 120_000,
      },
    });
    const { judged, withinTwo } = retryAfter;
    const what = `${fleetName} ${name} ${load}: ${withinTwo} of ${judged}`;
    assert.ok(judged >= 10, what);
    assert.ok(withinTwo !== null && withinTwo >= 0.9, what);
  }
});
