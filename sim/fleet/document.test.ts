import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fleetOf } from './fleet-file.ts';
import { usage } from './options.ts';
import { rivals } from './policies/catalogue.ts';
import { simulate } from './simulate.ts';
import { synthesize, syntheticWorkloads } from './workload/synthetic.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/simulator.md'), 'utf8');

test('docs/simulator.md names every rival with the version it follows, every workload and every figure', () => {
  for (const { name, source } of rivals) {
    assert.ok(page.includes(`\`${name}\``), name);
    const [version] = /\b[0-9a-f]{7}\b|\d{4}\.\d{5}/.exec(source) ?? [];
    if (version !== undefined) assert.ok(page.includes(version), `${name} ${version}`);
  }
  for (const name of syntheticWorkloads) assert.ok(page.includes(`\`${name}\``), name);
  const engine = { kind: 'vllm', slots: 4, stepMs: 10, promptTokensPerSecond: 1000, kvTokens: 1000 };
  const result = simulate({
    fleet: fleetOf('f', { engines: { e: engine }, nodes: [{ name: 'n', engine: 'e' }] }),
    workload: synthesize('tenants', 5, 1),
    policy: 'random',
    load: 1,
    seed: 1,
    deadlineMs: 1,
    patienceMs: Infinity,
    comebacks: 0,
    warmUp: 0,
    objective: { ttftMs: 1, ttftMsPerPromptToken: 1, tpotMs: 1 },
    weir: {
      queue: { maxWaiters: 1, timeoutMs: 1, maxBytes: 1, maxShare: 1, reserved: 0 },
      cacheTtlMs: 1,
      told: null,
      firstByteMs: 1,
      betweenBytesMs: 1,
    },
  });
  for (const key of Object.keys(result)) assert.ok(page.includes(`\`${key}\``), key);
});

test('the usage names every flag that the page names', () => {
  for (const [flag] of page.matchAll(/(?<=`|\s)--[a-z][a-z-]*(?=[\s`])/g)) assert.ok(usage.includes(flag), flag);
});
