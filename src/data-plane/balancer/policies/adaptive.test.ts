import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf, nodesAlike, seededRandom } from '../../../../test/support/fleet.ts';
import { CachedSelection } from '../cached-selection.ts';
import { noPrefix, type Candidate, type Prefix, type Wanted } from '../candidate.ts';
import { Outlook, type Flight } from '../outlook.ts';
import { adaptive } from './adaptive.ts';

const everyone = (): boolean => true;

/** Two or more nodes alike, and what the policy would be told of leases on them. */
class Stage {
  now = 0;
  readonly outlook = new Outlook();
  readonly #selection: CachedSelection;

  constructor(count: number) {
    const fleet = fleetOf(nodesAlike(count));
    this.outlook.replaceSnapshot(fleet, 0);
    this.#selection = new CachedSelection(fleet, adaptive, 10, seededRandom(5), this.outlook);
  }

  /** Every node alike, and known. */
  known(): this {
    for (const node of [0, 1, 2, 3]) {
      if (!this.outlook.node(node, 1)) continue;
      for (let nth = 0; nth < 8; nth += 1) this.serve(node, 2000, 0.2, 10);
    }
    return this;
  }

  pick(promptTokens: number, prefix: Prefix = noPrefix): Candidate {
    const wanted = wantedOf(promptTokens, prefix);
    const candidate = this.#selection.selectNodeCached('m', { inFlight: () => 0 }, this.now, everyone, wanted);
    assert.ok(candidate);
    return candidate;
  }

  /** Picks, takes and serves at once, so that the next draw is another. */
  pickAndTake(promptTokens: number): number {
    const candidate = this.pick(promptTokens);
    this.#selection.taken('m', candidate);
    this.outlook.ended(this.send(candidate.node, 10), 1, false, null, this.now);
    return candidate.node;
  }

  send(node: number, promptTokens: number, prefix: Prefix = noPrefix): Flight {
    const known = this.outlook.node(node, 1);
    assert.ok(known);
    return this.outlook.took(known, wantedOf(promptTokens, prefix), this.now);
  }

  /** A whole exchange on an idle node: the prompt's time, then that of ten tokens. */
  serve(node: number, promptTokens: number, promptMs: number, stepMs: number): void {
    const flight = this.send(node, promptTokens);
    this.now += promptTokens * promptMs;
    this.outlook.firstToken(flight, promptTokens * promptMs, this.now);
    this.now += 9 * stepMs;
    const took = { promptTokens, completionTokens: 10, cachedTokens: null };
    this.outlook.ended(flight, promptTokens * promptMs + 9 * stepMs, true, took, this.now);
  }
}

function wantedOf(promptTokens: number, prefix: Prefix): Wanted & { claim: { streams: boolean } } {
  const claim = { promptTokens, maxTokens: null, prefix, streams: true, priority: 'normal', startBy: null } as const;
  return { model: 'm', claim };
}

test('a prompt goes where it will be read soonest, once the speeds are known', () => {
  const stage = new Stage(3);
  for (let nth = 0; nth < 8; nth += 1) {
    for (const [node, promptMs] of [2, 0.1, 0.5].entries()) stage.serve(node, 2000, promptMs, 10);
  }
  assert.equal(stage.pick(4000).node, 1);
  const ahead = stage.send(1, 100_000);
  assert.equal(stage.pick(4000).node, 2, 'behind a long prompt the fastest node is not the soonest');
  stage.now += 1;
  stage.outlook.firstToken(ahead, 10_000, stage.now);
  stage.outlook.ended(ahead, 10_000, false, null, stage.now);
  assert.equal(stage.pick(4000).node, 1);
});

test('a chat goes back to the node that has read it, unless that node has more to do than reading it again would take', () => {
  const stage = new Stage(4).known();
  const prefix = { hashes: [1, 2, 3, 4], blockTokens: 500 };
  stage.outlook.ended(stage.send(2, 2000, prefix), 1, false, null, 0);
  for (let nth = 0; nth < 20; nth += 1) assert.equal(stage.pick(2200, prefix).node, 2);
  stage.send(2, 50_000);
  assert.notEqual(stage.pick(2200, prefix).node, 2);
});

test('a node that comes back is given little at first, unless there is no other', () => {
  const stage = new Stage(2).known();
  const back = stage.outlook.node(0, 1);
  assert.ok(back);
  stage.now = 1_000_000;
  back.backSince = stage.now;
  stage.now += 1_000;
  for (let nth = 0; nth < 4; nth += 1) {
    assert.equal(stage.pick(500).node, 1);
    stage.send(1, 500);
  }
  stage.now += 20_000;
  assert.equal(stage.pick(500).node, 0);
});

/** How many of 4000 requests went to a node that reads a prompt at a fifth of the other's speed. */
function explored(promptTokens: number): number {
  const stage = new Stage(2);
  for (let nth = 0; nth < 10; nth += 1) {
    stage.serve(0, 1000, 0.5, 10);
    stage.serve(1, 1000, 0.1, 10);
  }
  let times = 0;
  for (let nth = 0; nth < 4_000; nth += 1) {
    stage.now += 100;
    if (stage.pickAndTake(promptTokens) === 0) times += 1;
    else stage.serve(1, 1000, 0.1, 10);
  }
  return times;
}

test('one in a hundred requests looks how a node does that was not heard of for long, where it has the time', () => {
  const times = explored(1_000);
  assert.ok(times >= 5 && times < 80, String(times));
  assert.equal(explored(10_000), 0, 'five seconds there are more than half of what anybody wants to wait');
});

test("what others run on an engine counts, while the engine's word on it is fresh", () => {
  const stage = new Stage(2);
  for (let nth = 0; nth < 8; nth += 1) for (const node of [0, 1]) stage.serve(node, 1000, 0.2, 10);
  stage.now = 100_000;
  const told = {
    index: 0,
    generation: 1,
    readAt: 100_000,
    running: 30,
    waiting: 0,
    cacheUse: null,
    nextProbeAt: 105_000,
  };
  stage.outlook.replaceTelemetry([told]);
  stage.send(1, 100);
  assert.equal(stage.pick(1000).node, 1);
  stage.now += 60_000;
  stage.outlook.replaceTelemetry([{ ...told, readAt: 160_000, running: null }]);
  assert.equal(stage.pick(1000).node, 0);
});
