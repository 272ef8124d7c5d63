import assert from 'node:assert/strict';
import { test } from 'node:test';
import { synthesize, syntheticWorkloads } from './synthetic.ts';

test('every synthetic workload has as many requests as asked, in order, the same for the same seed', () => {
  for (const name of syntheticWorkloads) {
    const { offers, callers } = synthesize(name, 600, 3);
    const usual = offers.filter(({ isExtra }) => !isExtra).length;
    assert.ok(usual <= 600 && usual >= 590, `${name} ${usual}`);
    for (const [at, { atMs, caller, promptTokens, outputTokens, blocks }] of offers.entries()) {
      assert.ok(atMs >= (offers[at - 1]?.atMs ?? 0), name);
      assert.ok(caller >= 0 && caller < callers, name);
      assert.ok(promptTokens >= 4 && outputTokens >= 4, name);
      assert.ok(blocks.length * 64 <= promptTokens, `${name}: ${blocks.length} blocks in ${promptTokens} tokens`);
    }
    assert.deepEqual(synthesize(name, 600, 3).offers, offers);
    assert.notDeepEqual(synthesize(name, 600, 4).offers, offers);
  }
});

test('a turn of a chat quotes the turn before it, answer and all', () => {
  const { offers } = synthesize('chats', 500, 1);
  let turns = 0;
  const last = new Map<number, (typeof offers)[number]>();
  for (const offer of offers) {
    const before = last.get(offer.session);
    last.set(offer.session, offer);
    if (!before) continue;
    turns += 1;
    const quoted = [...before.blocks, ...before.answerBlocks];
    assert.deepEqual(offer.blocks.slice(0, quoted.length), quoted);
  }
  assert.ok(turns > 200, `${turns} further turns`);
});

test('the hog sends so many times as much as each other caller, and leaves those as they are', () => {
  const [fair, greedy] = [1, 10].map((times) => synthesize('hog', 1100, 1, times).offers);
  const others = (offers: typeof fair): unknown => offers?.filter(({ caller }) => caller !== 10);
  assert.deepEqual(others(greedy), others(fair));
  assert.equal(fair?.filter(({ caller }) => caller === 10).length, 100);
  assert.equal(greedy?.filter(({ caller }) => caller === 10).length, 1000);
  assert.equal(greedy?.filter(({ isExtra }) => isExtra).length, 900);
});

test('the batch comes within a second', () => {
  const flood = synthesize('batch', 900, 1)
    .offers.filter(({ caller }) => caller === 20)
    .map(({ atMs }) => atMs);
  assert.equal(flood.length, 300);
  assert.ok(Math.max(...flood) - Math.min(...flood) <= 1000);
});
