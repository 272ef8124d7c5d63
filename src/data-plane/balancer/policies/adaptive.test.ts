import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf, nodesAlike, seededRandom } from '../../../../test/support/fleet.ts';
import { CachedSelection } from '../cached-selection.ts';
import { noPrefix, type Candidate, type Prefix } from '../candidate.ts';
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

  pick(promptTokens: number, prefix: Prefix = noPrefix): Candidate {
    const wanted = wantedOf(promptTokens, prefix);
    const candidate = this.#selection.selectNodeCached('m', { inFlight: () => 0 }, this.now, everyone, wanted);
    assert.ok(candidate);
    return candidate;
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

function wantedOf(promptTokens: number, prefix: Prefix) {
  return { model: 'm', claim: { promptTokens, maxTokens: null, prefix, streams: true } };
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
  const stage = new Stage(4);
  const prefix = { hashes: [1, 2, 3, 4], blockTokens: 500 };
  stage.outlook.ended(stage.send(2, 2000, prefix), 1, false, null, 0);
  for (let nth = 0; nth < 20; nth += 1) assert.equal(stage.pick(2200, prefix).node, 2);
  stage.send(2, 50_000);
  assert.notEqual(stage.pick(2200, prefix).node, 2);
});

test('of nodes that nothing is known of yet the one with fewer requests is taken, and all are', () => {
  const stage = new Stage(8);
  const used = new Set<number>();
  for (let nth = 0; nth < 8; nth += 1) {
    const { node } = stage.pick(100);
    stage.send(node, 100);
    used.add(node);
    stage.now += 10;
  }
  assert.equal(used.size, 8);
});
