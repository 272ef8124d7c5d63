import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fleetOf, readFleet } from './fleet-file.ts';
import type { FleetModel } from './fleet-model.ts';
import { policyNames, simulate, type Run, type RunResult } from './simulate.ts';
import { synthesize, type SyntheticName } from './workload/synthetic.ts';

const settings: Pick<Run, 'deadlineMs' | 'patienceMs' | 'comebacks' | 'warmUp' | 'objective' | 'weir'> = {
  deadlineMs: 60_000,
  patienceMs: 600_000,
  comebacks: 0,
  warmUp: 0,
  objective: { ttftMs: 2000, ttftMsPerPromptToken: 0.25, tpotMs: 100 },
  weir: {
    queue: { maxWaiters: 1024, timeoutMs: 30_000, maxBytes: 1e9, maxShare: 0.75, reserved: 0 },
    cacheTtlMs: 10,
    told: null,
    firstByteMs: 300_000,
    betweenBytesMs: 120_000,
  },
};

function fleet(name: string): Promise<FleetModel> {
  return readFleet(join(import.meta.dirname, 'fleets', `${name}.yaml`));
}

interface Plan extends Partial<Run> {
  readonly fleet: FleetModel;
  readonly policy: string;
  readonly work?: SyntheticName;
  readonly requests?: number;
}

function run({ work = 'tenants', requests = 300, ...plan }: Plan): RunResult {
  const { seed = 1 } = plan;
  return simulate({ ...settings, workload: synthesize(work, requests, seed), load: 1, seed, ...plan });
}

const engine = { kind: 'vllm', slots: 8, stepMs: 10, perSequenceMs: 1, promptTokensPerSecond: 5000, kvTokens: 200_000 };

/** `count` nodes alike. */
function plainFleet(count: number, of: Record<string, unknown> = {}): FleetModel {
  return fleetOf('plain', { engines: { e: { ...engine, ...of } }, nodes: [{ name: 'n', engine: 'e', count }] });
}

test('under every policy every request ends once, and nothing is left open, through crashes, freezes and bursts', async () => {
  const rough = await fleet('rough');
  for (const { name } of policyNames()) {
    const { requests, router, nodes } = run({ fleet: rough, policy: name, load: 1.2 });
    const { offered, served, refused, interrupted, gone } = requests;
    assert.equal(served + refused + interrupted + gone, offered, name);
    assert.ok(served > 100, `${name} served ${served}`);
    assert.equal(router['openAttempts'], 0, name);
    assert.equal(router['openLeases'] ?? 0, 0, name);
    assert.equal(router['waiters'] ?? 0, 0, name);
    assert.equal(nodes.length, 8);
  }
});

test('a run is the same every time for one seed, and another for another', async () => {
  const mixed = await fleet('mixed');
  for (const policy of ['weir:least-loaded', 'lmetric', 'llm-d+weir', 'random']) {
    const plan: Plan = { fleet: mixed, policy, work: 'chats' };
    assert.deepEqual(run(plan), run(plan));
    assert.notDeepEqual(run(plan).ttftMs, run({ ...plan, seed: 2 }).ttftMs);
  }
});

test('a fleet that is kept full finishes about what its capacity says', () => {
  for (const more of [{}, { chunkTokens: 512 }, { kvTokens: 12_000 }]) {
    const two = plainFleet(2, { ...more, prefixCache: 'none' });
    const plan: Plan = { fleet: two, policy: 'least-in-flight', load: 5, requests: 1200, patienceMs: Infinity };
    const { requests, capacityPerSecond, nodes, goodput, goodRequestsPerSecond } = run(plan);
    assert.equal(requests.served, 1200);
    // Both are over the same time, until the last request ended.
    const finishedPerSecond = (goodRequestsPerSecond / goodput) * (requests.served / requests.offered);
    const ratio = finishedPerSecond / capacityPerSecond;
    assert.ok(ratio > 0.85 && ratio < 1.15, `${JSON.stringify(more)} ${ratio} ${JSON.stringify(nodes)}`);
  }
});

test('more load makes it worse, for ours and for others', () => {
  const two = plainFleet(2);
  for (const policy of ['weir', 'least-in-flight']) {
    const [light, heavy] = [0.3, 2].map((load) => run({ fleet: two, policy, load }));
    assert.ok((light?.goodput ?? 0) > 0.9, `${policy} ${light?.goodput}`);
    assert.ok((heavy?.goodput ?? 1) < (light?.goodput ?? 0) - 0.1, `${policy} ${heavy?.goodput}`);
    assert.ok((heavy?.ttftMs.p99 ?? 0) > 2 * (light?.ttftMs.p99 ?? 0));
  }
});

test("our waiting room refuses by its own rules: full at four fifths, and after the queue's time-out", () => {
  const one = plainFleet(1, { kind: 'llamacpp', slots: 1, prefixCache: 'slots' });
  const refusalsOf = (maxWaiters: number, timeoutMs: number): RunResult => {
    const queue = { ...settings.weir.queue, maxWaiters, timeoutMs };
    return run({ fleet: one, policy: 'weir', load: 3, weir: { ...settings.weir, queue } });
  };
  const small = refusalsOf(5, 60_000);
  assert.ok((small.refusals['capacity_exceeded'] ?? 0) > 50, JSON.stringify(small.refusals));
  const impatient = refusalsOf(10_000, 5_000);
  assert.deepEqual(Object.keys(impatient.refusals), ['wait_timeout']);
  // Who was served did not wait longer than the time-out; the rest is the way to the node.
  assert.ok(impatient.waitMs.p99 > 4_000 && impatient.waitMs.p99 <= 5_001, String(impatient.waitMs.p99));
});

test('a rival behind our waiting room never has more open on a node than its slots, as shipped it has', () => {
  const one = plainFleet(1, { kind: 'llamacpp', slots: 2, prefixCache: 'slots' });
  const shipped = run({ fleet: one, policy: 'lmetric', load: 2, patienceMs: Infinity });
  const behind = run({ fleet: one, policy: 'lmetric+weir', load: 2 });
  assert.equal(shipped.requests.refused, 0);
  assert.ok((behind.refusals['wait_timeout'] ?? 0) > 0, JSON.stringify(behind.refusals));
  assert.ok((behind.router['steered'] ?? 0) > 0);
  assert.ok(behind.ttftServedMs.p99 < shipped.ttftServedMs.p99);
});

test('where nobody has to wait, a rival does behind our waiting room what it does as shipped', async () => {
  const equal = await fleet('equal');
  for (const name of ['round-robin', 'chwbl', 'sglang-cache-aware', 'smg-least-load', 'llm-d', 'dynamo', 'lmetric']) {
    const plan: Plan = { fleet: equal, policy: name, work: 'chats', load: 0.4, requests: 400 };
    const [shipped, behind] = [run(plan), run({ ...plan, policy: `${name}+weir` })];
    assert.ok(Math.abs(shipped.hitRate - behind.hitRate) < 0.03, `${name} ${shipped.hitRate} ${behind.hitRate}`);
    assert.ok(Math.abs(shipped.ttftMs.mean / behind.ttftMs.mean - 1) < 0.1, `${name} ${shipped.ttftMs.mean}`);
    assert.equal(behind.router['steered'], 400);
  }
});

test('a policy that knows prefixes finds more of them cached than one that does not', () => {
  const four = plainFleet(4);
  const plan: Plan = { fleet: four, policy: 'random', work: 'chats', load: 0.5, requests: 600 };
  const random = run(plan).hitRate;
  for (const policy of ['llm-d', 'sglang-cache-aware', 'dynamo', 'lmetric', 'chwbl']) {
    const { hitRate } = run({ ...plan, policy });
    assert.ok(hitRate > random + 0.03, `${policy} ${hitRate}, random ${random}`);
  }
});

test('a policy that learns speeds spreads work on a mixed fleet more evenly than one that counts', async () => {
  const mixed = await fleet('mixed');
  const plan: Plan = { fleet: mixed, policy: 'random', load: 0.8, requests: 1000 };
  const [random, learned] = [run(plan), run({ ...plan, policy: 'min-ttft' })];
  assert.ok(learned.ttftMs.p99 < random.ttftMs.p99 / 2, `${learned.ttftMs.p99} ${random.ttftMs.p99}`);
});

test('the breaker and the probes keep requests off a crashed node, and most of what had not begun is served elsewhere', () => {
  const four = fleetOf('crash', {
    engines: { e: engine },
    nodes: [{ name: 'n', engine: 'e', count: 4 }],
    troubles: [{ at: 0.3, lasts: 0.5, node: 'n-1', kind: 'crash' }],
  });
  const { requests, nodes } = run({ fleet: four, policy: 'weir', load: 0.4, requests: 800 });
  assert.equal(requests.refused, 0);
  assert.ok(requests.interrupted < 15, String(requests.interrupted));
  const [crashed, ...others] = nodes.map(({ work }) => work);
  for (const work of others) assert.ok((crashed ?? 1) < 0.8 * work, `${crashed} ${work}`);
});

test('an unknown policy is refused with the names there are', () => {
  assert.throws(
    () => run({ fleet: plainFleet(1), policy: 'best' }),
    /--policy best: choose one of weir:least-loaded.*lmetric\+weir/,
  );
});
