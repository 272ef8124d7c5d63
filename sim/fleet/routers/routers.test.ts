import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainService, type Product, type Rival } from '../policies/rival.ts';
import { leastInFlight } from '../policies/plain.ts';
import { seeded } from '../random.ts';
import type { Floor, Heard, Refusal, Router, SeenNode, SeenRequest } from '../seen.ts';
import { Timeline } from '../timeline.ts';
import { ShippedRouter } from './shipped.ts';
import { WeirRouter } from './weir.ts';

/** A floor on which nothing happens but what the test says. Probes are answered, except by nodes that are `dead`. */
class ScriptedFloor implements Floor {
  readonly timeline = new Timeline();
  readonly nodes: readonly { -readonly [Key in keyof SeenNode]: SeenNode[Key] }[];
  readonly random = seeded(1);
  /** Where each attempt went, in order; the first has the number 1. */
  readonly sent: { request: number; node: number }[] = [];
  readonly aborted: number[] = [];
  readonly refused: [request: number, why: Refusal][] = [];
  readonly dead = new Set<number>();
  polls = 0;
  router: Router | null = null;

  constructor(count: number, slots = 2) {
    this.nodes = Array.from({ length: count }, (_, index) => {
      return { index, name: `n${index}`, engine: 'llamacpp', slots, models: ['m'], inFlight: 0, reading: null };
    });
  }

  now(): number {
    return this.timeline.now();
  }

  after(ms: number, run: () => void): () => void {
    return this.timeline.after(ms, run);
  }

  at(dueAt: number, run: () => void): () => void {
    return this.timeline.at(dueAt, run);
  }

  send(request: number, node: number): number {
    const seen = this.nodes[node];
    if (seen) seen.inFlight += 1;
    return this.sent.push({ request, node });
  }

  abort(attempt: number): void {
    this.aborted.push(attempt);
  }

  refuse(request: number, why: Refusal): void {
    this.refused.push([request, why]);
  }

  placeFreed(): void {
    // Nobody keeps books here.
  }

  probe(node: number): void {
    const answer = this.dead.has(node) ? null : { reading: null };
    this.after(1, () => this.router?.probed(node, answer));
  }

  poll(): void {
    this.polls += 1;
  }

  ask(id: number): void {
    const seen: SeenRequest = { ...asked, id, arrivedAt: this.now() };
    this.router?.arrive(seen);
  }

  hear(attempt: number, event: Heard): void {
    const node = this.nodes[this.sent[attempt - 1]?.node ?? -1];
    if (node && (event.kind === 'end' || event.kind === 'failed')) node.inFlight -= 1;
    this.router?.heard(attempt, event);
  }
}

const asked: SeenRequest = {
  id: 0,
  model: 'm',
  caller: 0,
  arrivedAt: 0,
  promptTokens: 100,
  bytes: 400,
  maxTokens: null,
  blocks: [],
  blockTokens: 64,
  deadlineMs: 60_000,
};

const settings = {
  policy: 'least-loaded',
  queue: { maxWaiters: 100, timeoutMs: 30_000, maxBytes: 1e9, maxShare: 0.75, reserved: 0 },
  cacheTtlMs: 10,
  told: null,
  firstByteMs: 300_000,
  betweenBytesMs: 120_000,
} as const;

function weir(floor: ScriptedFloor, rival: Rival | null = null, pollMs: number | null = null): ScriptedFloor {
  floor.router = new WeirRouter(floor, settings, rival, pollMs);
  return floor;
}

function shipped(floor: ScriptedFloor, product: Partial<Product>): ScriptedFloor {
  floor.router = new ShippedRouter(floor, leastInFlight(floor.random), { ...plainService, ...product });
  return floor;
}

const refusedConnection: Heard = { kind: 'failed', end: 'connect-failed' };
const ended: Heard = { kind: 'end', promptTokens: 100, completionTokens: 5, cachedTokens: null };

test('Weir tries another node each time, three times at most', () => {
  const floor = weir(new ScriptedFloor(5));
  floor.ask(7);
  for (const attempt of [1, 2, 3]) floor.hear(attempt, refusedConnection);
  assert.equal(new Set(floor.sent.map(({ node }) => node)).size, 3);
  assert.deepEqual(floor.refused, [[7, 'upstream_failed']]);
});

test('Weir takes what a lost node has not begun elsewhere at once, and leaves what it has begun', () => {
  const floor = weir(new ScriptedFloor(2, 1));
  floor.ask(1);
  floor.ask(2);
  floor.hear(1, { kind: 'first-token' });
  floor.hear(2, ended);
  const [begun] = floor.sent;
  const lost = begun?.node ?? -1;
  floor.dead.add(lost);
  floor.timeline.run(20_000);
  assert.deepEqual(floor.aborted, []);
  floor.dead.delete(lost);
  floor.timeline.run(40_000);
  floor.hear(1, ended);
  // Now both are free; what goes to the node that dies moves to the other.
  floor.ask(3);
  floor.ask(4);
  const stuck = floor.sent.findLastIndex(({ node }) => node === lost) + 1;
  const other = stuck === 3 ? 4 : 3;
  floor.hear(other, ended);
  floor.dead.add(lost);
  floor.timeline.run(60_000);
  assert.deepEqual(floor.aborted, [stuck]);
  assert.deepEqual(floor.sent.at(-1), { request: stuck, node: 1 - lost });
});

test('Weir gives a node five minutes for the first token, then asks another', () => {
  const floor = weir(new ScriptedFloor(2));
  floor.ask(1);
  floor.timeline.run(299_999);
  assert.deepEqual(floor.aborted, []);
  floor.timeline.run(300_000);
  assert.deepEqual(floor.aborted, [1]);
  assert.notEqual(floor.sent[1]?.node, floor.sent[0]?.node);
});

test('Weir gives up an answer that has been silent for two minutes, and not sooner', () => {
  const floor = weir(new ScriptedFloor(2));
  floor.ask(1);
  floor.hear(1, { kind: 'first-token' });
  floor.timeline.run(100_000);
  floor.hear(1, { kind: 'tokens', count: 5 });
  floor.timeline.run(219_999);
  assert.deepEqual(floor.aborted, []);
  floor.timeline.run(220_000);
  assert.deepEqual(floor.aborted, [1]);
  assert.deepEqual(floor.refused, [[1, 'upstream_timeout']]);
  assert.equal(floor.sent.length, 1);
});

test('a client that leaves takes its attempt and its place in the room with it', () => {
  const floor = weir(new ScriptedFloor(1, 1));
  for (const id of [1, 2, 3]) floor.ask(id);
  floor.router?.leave(2);
  floor.router?.leave(1);
  assert.deepEqual(floor.aborted, [1]);
  assert.deepEqual(
    floor.sent.map(({ request }) => request),
    [1, 3],
  );
  assert.deepEqual(floor.refused, []);
  assert.equal(floor.router?.report()['waiters'], 0);
});

test('behind our waiting room a rival chooses only among free nodes, and polls at its own pace', () => {
  const offered: number[][] = [];
  const last: Rival = {
    choose(_request, nodes) {
      offered.push(nodes.map(({ index }) => index));
      return nodes.at(-1) ?? null;
    },
  };
  const floor = weir(new ScriptedFloor(3, 1), last, 50);
  for (const id of [1, 2, 3, 4]) floor.ask(id);
  assert.deepEqual(
    floor.sent.map(({ node }) => node),
    [2, 1, 0],
  );
  assert.deepEqual(offered, [[0, 1, 2], [0, 1], [0], []]);
  floor.hear(2, ended);
  assert.deepEqual(floor.sent.at(-1), { request: 4, node: 1 });
  floor.timeline.run(1_000);
  assert.equal(floor.polls, 3 * 21);
});

test('a product tries as often as it does, and no more', () => {
  for (const attempts of [1, 3]) {
    const floor = shipped(new ScriptedFloor(5), { attempts });
    floor.ask(1);
    for (let attempt = 1; attempt <= attempts; attempt++) floor.hear(attempt, refusedConnection);
    assert.equal(floor.sent.length, attempts);
    assert.equal(new Set(floor.sent.map(({ node }) => node)).size, attempts);
    assert.deepEqual(floor.refused, [[1, 'upstream_failed']]);
  }
});

test('a product with a breaker leaves a failing node alone for its time', () => {
  const floor = shipped(new ScriptedFloor(1), { breaker: { failures: 2, openMs: 1_000 } });
  for (const id of [1, 2]) {
    floor.ask(id);
    floor.hear(id, refusedConnection);
  }
  floor.ask(3);
  assert.deepEqual(floor.refused.at(-1), [3, 'no_ready_node']);
  floor.timeline.run(1_000);
  floor.ask(4);
  assert.equal(floor.sent.at(-1)?.request, 4);
});

test('a product leaves a dead node out after its failed checks, and takes it back', () => {
  const floor = shipped(new ScriptedFloor(1), { healthMs: 10_000, healthFailures: 3 });
  floor.dead.add(0);
  floor.timeline.run(29_000);
  floor.ask(1);
  assert.equal(floor.sent.length, 1);
  floor.timeline.run(31_000);
  floor.ask(2);
  assert.deepEqual(floor.refused, [[2, 'no_ready_node']]);
  floor.dead.delete(0);
  floor.timeline.run(41_000);
  floor.ask(3);
  assert.equal(floor.sent.length, 2);
});
