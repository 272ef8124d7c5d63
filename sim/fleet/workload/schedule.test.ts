import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf } from '../fleet-file.ts';
import type { FleetModel } from '../fleet-model.ts';
import { scheduleOf } from './schedule.ts';
import { synthesize } from './synthetic.ts';

const engine = { kind: 'vllm', slots: 8, stepMs: 10, perSequenceMs: 1, promptTokensPerSecond: 5000, kvTokens: 200_000 };

function fleet(more: Record<string, unknown> = {}): FleetModel {
  return fleetOf('f', { engines: { e: engine }, nodes: [{ name: 'n', engine: 'e', count: 2 }], ...more });
}

test('a load is a multiple of what the fleet could finish; twice the nodes are twice the capacity', () => {
  const workload = synthesize('tenants', 500, 1);
  const two = scheduleOf(fleet(), workload, 0.5, 1, 60_000);
  const four = scheduleOf(fleet({ nodes: [{ name: 'n', engine: 'e', count: 4 }] }), workload, 0.5, 1, 60_000);
  assert.ok(Math.abs(four.capacityPerSecond / two.capacityPerSecond - 2) < 1e-9);
  assert.ok(Math.abs(two.offeredPerSecond / two.capacityPerSecond - 0.5) < 1e-9);
  const last = two.requests.at(-1)?.seen.arrivedAt ?? 0;
  assert.ok(Math.abs(last / two.durationMs - 1) < 1e-9);
});

test("a hog's excess comes on top of the load, and moves nobody", () => {
  const [fair, greedy] = [1, 20].map((times) => scheduleOf(fleet(), synthesize('hog', 550, 1, times), 0.5, 1, 60_000));
  const arrivals = (schedule: typeof fair): number[] =>
    (schedule?.requests ?? []).filter(({ seen }) => seen.caller < 10).map(({ seen }) => Math.round(seen.arrivedAt));
  assert.deepEqual(arrivals(greedy), arrivals(fair));
  assert.ok((greedy?.offeredPerSecond ?? 0) > 2.5 * (fair?.offeredPerSecond ?? 0));
});

test('a burst brings so many times the usual rate, and the mean load stays', () => {
  const burst = fleet({ bursts: [{ at: 0.5, lasts: 0.1, times: 4 }] });
  const { requests, durationMs } = scheduleOf(burst, synthesize('tenants', 2000, 1), 0.5, 1, 60_000);
  const within = (from: number, to: number): number =>
    requests.filter(({ seen }) => seen.arrivedAt >= from * durationMs && seen.arrivedAt < to * durationMs).length;
  const ratio = within(0.5, 0.6) / within(0.2, 0.3);
  assert.ok(ratio > 2.8 && ratio < 5.6, String(ratio));
  assert.equal(within(0, 1.0001), 2000);
});

test('chats stay with one model, models share requests as the mix says, and prefixes of one model are not those of another', () => {
  const many = fleet({ models: { a: 3, b: 1 } });
  const workload = synthesize('chats', 2000, 1);
  const { requests } = scheduleOf(many, workload, 0.5, 1, 60_000);
  const modelOf = new Map<number, string>();
  const blocks = { a: new Set<number>(), b: new Set<number>() };
  for (const [at, { seen }] of requests.entries()) {
    const session = workload.offers[at]?.session ?? 0;
    assert.equal(modelOf.get(session) ?? seen.model, seen.model);
    modelOf.set(session, seen.model);
    for (const block of seen.blocks) blocks[seen.model === 'a' ? 'a' : 'b'].add(block);
  }
  const share = requests.filter(({ seen }) => seen.model === 'a').length / requests.length;
  assert.ok(share > 0.68 && share < 0.82, String(share));
  assert.ok([...blocks.a].every((block) => !blocks.b.has(block)));
});
