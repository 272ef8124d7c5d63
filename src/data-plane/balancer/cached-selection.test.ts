import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf, nodesAlike, seededRandom, type NodePlan } from '../../../test/support/fleet.ts';
import { CachedSelection } from './cached-selection.ts';
import { leastLoaded } from './policies/least-loaded.ts';
import { roundRobin } from './policies/round-robin.ts';

const TTL_MS = 10;
const idle = { inFlight: () => 0 };
const everyone = (): boolean => true;

function selectionOver(nodes: readonly (NodePlan | null)[], policy = leastLoaded): CachedSelection {
  return new CachedSelection(fleetOf(nodes), policy, TTL_MS, seededRandom(7));
}

test('consecutive calls of selectNodeCached return the same node while nothing is taken', () => {
  const selection = selectionOver(nodesAlike(16));
  const first = selection.selectNodeCached('m', idle, 0, everyone);
  assert.ok(first);
  for (let at = 0; at < TTL_MS; at += 0.1) assert.equal(selection.selectNodeCached('m', idle, at, everyone), first);
});

test('a lease taken in between sends the next caller elsewhere', () => {
  const selection = selectionOver(nodesAlike(16));
  const counts = new Map<number, number>();
  const live = { inFlight: (node: number) => counts.get(node) ?? 0 };
  for (let nth = 0; nth < 16; nth++) {
    const chosen = selection.selectNodeCached('m', live, 0, everyone);
    assert.ok(chosen);
    assert.equal(counts.get(chosen.node), undefined, 'a node that has one already is not taken before the others');
    counts.set(chosen.node, 1);
    selection.taken('m', chosen);
  }
});

test('ties are drawn anew after a lease, so that no node is always first', () => {
  const selection = selectionOver(nodesAlike(4));
  const hits = [0, 0, 0, 0];
  for (let nth = 0; nth < 2000; nth++) {
    const chosen = selection.selectNodeCached('m', idle, 0, everyone);
    assert.ok(chosen);
    hits[chosen.node] = (hits[chosen.node] ?? 0) + 1;
    selection.taken('m', chosen);
  }
  for (const count of hits) assert.ok(count > 400 && count < 600, hits.join(' '));
});

test('the live counts are read at every pick, not kept', () => {
  const selection = selectionOver(nodesAlike(2));
  const first = selection.selectNodeCached('m', idle, 0, everyone);
  const now = { inFlight: (node: number) => (node === first?.node ? 1 : 0) };
  assert.notEqual(selection.selectNodeCached('m', now, 0, everyone)?.node, first?.node);
});

test('the candidates are kept for the time to live and no longer', () => {
  const selection = selectionOver(nodesAlike(2));
  const kept = selection.candidates('m', 100);
  assert.equal(selection.candidates('m', 109.9), kept);
  assert.notEqual(selection.candidates('m', 110), kept);
});

test('a new snapshot is seen at once', () => {
  const selection = selectionOver(nodesAlike(2));
  const first = selection.selectNodeCached('m', idle, 0, everyone);
  assert.ok(first);
  const gone = nodesAlike(2).map((node, index) => (index === first.node ? null : node));
  selection.replaceSnapshot(fleetOf(gone));
  assert.equal(selection.selectNodeCached('m', idle, 0, everyone)?.node, 1 - first.node);
});

test('a new snapshot does not start round-robin over', () => {
  const selection = selectionOver(nodesAlike(3), roundRobin);
  const first = selection.selectNodeCached('m', idle, 0, everyone);
  assert.ok(first?.node === 0);
  selection.taken('m', first);
  selection.replaceSnapshot(fleetOf(nodesAlike(3)));
  assert.equal(selection.selectNodeCached('m', idle, 20, everyone)?.node, 1);
});

test('only ready nodes that do not drain and have the model loaded are candidates', () => {
  const selection = selectionOver([
    null,
    { state: 'offline' },
    { state: 'starting' },
    { state: 'loading' },
    { state: 'misconfigured' },
    { draining: true },
    { loading: ['m'] },
    { models: ['other'] },
    { slots: 3, modelSlots: 2, generation: 4 },
  ]);
  assert.deepEqual(selection.candidates('m', 0), [
    { node: 8, generation: 4, upstream: 'up-m', slots: 3, modelSlots: 2, learned: null },
  ]);
});

test('nobody open is null, and so is a model nobody offers', () => {
  const selection = selectionOver(nodesAlike(2));
  assert.equal(
    selection.selectNodeCached('m', idle, 0, () => false),
    null,
  );
  assert.equal(selection.selectNodeCached('unheard-of', idle, 0, everyone), null);
});

test('of a very large fleet a sample is looked at, spread over all of it in the course of time', () => {
  const selection = selectionOver(nodesAlike(5000));
  const chosen = new Set<number>();
  for (let time = 0; time < 200; time += 1) {
    let looked = 0;
    const open = (): boolean => (looked += 1) > 0;
    const candidate = selection.selectNodeCached('m', idle, time, open);
    assert.ok(candidate);
    assert.ok(looked <= 64, String(looked));
    chosen.add(Math.floor(candidate.node / 500));
    selection.taken('m', candidate);
  }
  assert.equal(chosen.size, 10, 'from each tenth of the fleet');
});

test('where nobody of the sample is open the one that is gets found', () => {
  const selection = selectionOver(nodesAlike(5000));
  for (const only of [0, 77, 4999]) {
    assert.equal(selection.selectNodeCached('m', idle, 0, ({ node }) => node === only)?.node, only);
  }
});

test('where few may be open only these are looked at', () => {
  const selection = selectionOver(nodesAlike(50));
  const asked: number[] = [];
  const open = ({ node }: { readonly node: number }): boolean => asked.push(node) > 0;
  const chosen = selection.selectNodeCached('m', idle, 0, open, undefined, new Set([7, 60]));
  assert.equal(chosen?.node, 7);
  assert.deepEqual(asked, [7]);
  assert.equal(selection.wereAllOpen, false);
});
