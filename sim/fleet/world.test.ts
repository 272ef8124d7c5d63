import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf } from './fleet-file.ts';
import type { Floor, Heard, Reading, Router, SeenRequest } from './seen.ts';
import { World } from './world.ts';
import type { Schedule } from './workload/schedule.ts';

const engine = { kind: 'vllm', slots: 1, stepMs: 10, promptTokensPerSecond: 1000, kvTokens: 100_000, maxWaiting: 3 };

/** Sends everything to the first node, and writes down what it hears. */
class FirstNode implements Router {
  readonly floor: Floor;
  readonly log: string[] = [];
  readonly attempts = new Map<number, number>();
  inFlightMost = 0;
  readonly readings: (Reading | null)[] = [];
  probeAt: readonly number[] = [];

  constructor(floor: Floor) {
    this.floor = floor;
  }

  arrive({ id }: SeenRequest): void {
    this.attempts.set(this.floor.send(id, 0), id);
    this.inFlightMost = Math.max(this.inFlightMost, this.floor.nodes[0]?.inFlight ?? 0);
  }

  leave(request: number): void {
    this.log.push(`${request} left at ${this.floor.now()}`);
    for (const [attempt, id] of this.attempts) if (id === request) this.floor.abort(attempt);
  }

  heard(attempt: number, event: Heard): void {
    const id = this.attempts.get(attempt) ?? -1;
    if (event.kind !== 'tokens') this.log.push(`${id} ${event.kind} at ${this.floor.now()}`);
    if (event.kind !== 'failed') return;
    this.log.push(event.end);
    this.floor.refuse(id, 'upstream_failed', null);
  }

  probed(_node: number, answer: { readonly reading: Reading | null } | null): void {
    this.readings.push(answer?.reading ?? null);
  }

  polled(): void {
    // Nothing is polled.
  }

  report(): Readonly<Record<string, number>> {
    return {};
  }
}

function scheduleAt(times: readonly number[], outputTokens = 11): Schedule {
  const requests = times.map((arrivedAt, id) => {
    const seen = { id, model: 'chat', caller: 0, arrivedAt, promptTokens: 90, bytes: 360, maxTokens: null };
    return { seen: { ...seen, blocks: [], blockTokens: 64, deadlineMs: 60_000 }, outputTokens, answerBlocks: [] };
  });
  return { requests, durationMs: 1000, capacityPerSecond: 1, offeredPerSecond: 1 };
}

function play(
  times: readonly number[],
  more: Record<string, unknown> = {},
  patienceMs = Infinity,
  comebacks = 0,
): { world: World; router: FirstNode } {
  const fleet = fleetOf('f', { engines: { e: engine }, nodes: [{ name: 'n', engine: 'e' }], ...more });
  const world = new World({ fleet, schedule: scheduleAt(times), seed: 1, patienceMs, callers: 1, comebacks });
  let router: FirstNode | null = null;
  world.run((floor) => {
    router = new FirstNode(floor);
    for (const at of [50, 600]) floor.after(at, () => floor.probe(0));
    return router;
  });
  assert.ok(router);
  return { world, router };
}

test('a request goes over the network to its node, and what comes back is heard and written down', () => {
  const { world, router } = play([5], { networkMs: 2 });
  // 2 ms of network, 100 ms for the prompt and the first token, ten steps.
  assert.deepEqual(router.log, ['0 first-token at 107', '0 end at 207']);
  const [record] = world.records;
  assert.equal(record?.outcome, 'served');
  assert.equal(record.startedAt, 7);
  assert.equal(record.tokens, 11);
  assert.equal(router.floor.nodes[0]?.inFlight, 0);
  assert.equal(world.openAttempts, 0);
});

test('what is open on a node is counted while it is, and a full engine queue answers overloaded', () => {
  const { world, router } = play([0, 1, 2, 3, 4]);
  assert.equal(router.inFlightMost, 5);
  assert.equal(router.floor.nodes[0]?.inFlight, 0);
  assert.deepEqual(
    world.records.map(({ outcome }) => outcome),
    ['served', 'served', 'served', 'served', 'refused'],
  );
  assert.ok(router.log.includes('overloaded'));
});

test('a reading is what the engine shows when it is read', () => {
  const { router } = play([0, 1, 2]);
  const [early] = router.readings;
  assert.equal(early?.running, 1);
  assert.equal(early?.waiting, 2);
  assert.equal(early?.readAt, 50.5);
  // vLLM shows no tokens.
  assert.equal(early?.waitingTokens, null);
});

test('clients leave when their patience is over, unless the answer has begun', () => {
  const { world, router } = play([0, 1], {}, 150);
  assert.deepEqual(
    world.records.map(({ outcome }) => outcome),
    ['served', 'gone'],
  );
  assert.ok(router.log.includes('1 left at 151'));
});

test('a crash fails what runs, refuses connections and probes, and the node comes back', () => {
  const { world, router } = play([450, 460, 700, 900], {
    troubles: [{ at: 0.56, lasts: 0.3, node: 'n', kind: 'crash' }],
  });
  assert.deepEqual(
    world.records.map(({ outcome }) => outcome),
    ['interrupted', 'refused', 'refused', 'served'],
  );
  assert.deepEqual(
    router.log.filter((line) => /^[a-z]/.test(line)),
    ['reset', 'broken', 'connect-failed'],
  );
  assert.deepEqual(
    router.readings.map((reading) => reading !== null),
    [true, false],
  );
});

test('a request that a router forgets is reported', () => {
  const fleet = fleetOf('f', { engines: { e: engine }, nodes: [{ name: 'n', engine: 'e' }] });
  const world = new World({
    fleet,
    schedule: scheduleAt([0]),
    seed: 1,
    patienceMs: Infinity,
    callers: 1,
    comebacks: 0,
  });
  class Forgetful extends FirstNode {
    override arrive(): void {
      // It does nothing.
    }
  }
  assert.throws(() => world.run((floor) => new Forgetful(floor)), /1 requests never ended/);
});

test('a refused client comes again after a back-off where it was told nothing, as often as it may', () => {
  const times = [0, 1, 2, 3, 4];
  const again = play(times, {}, Infinity, 1).world.records.at(-1);
  assert.equal(again?.comebacks, 1);
  assert.equal(again.outcome, 'served');
  // The engine's queue of three is half empty by then.
  assert.ok((again.startedAt ?? 0) > 4 + 375);
  assert.equal(again.refusedAt, 4.5);
});
