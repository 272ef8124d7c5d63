import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PrefixIndex } from './prefix-index.ts';

const prefixOf = (...hashes: number[]): { hashes: number[]; blockTokens: number } => ({ hashes, blockTokens: 100 });

/** Chained as the real ones are: a block's number says all before it. */
function chained(blocks: readonly number[]): number[] {
  return blocks.map((_, at) => blocks.slice(0, at + 1).reduce((sum, each) => sum * 5 + each + 1, 0));
}

test('tells how much of a prompt each node was sent', () => {
  const index = new PrefixIndex();
  index.insert(0, prefixOf(1, 2, 3));
  index.insert(2, prefixOf(1, 2, 9));
  const asked = prefixOf(1, 2, 3, 4);
  assert.deepEqual(
    [0, 1, 2].map((node) => index.tokensOn(node, asked)),
    [300, 0, 200],
  );
  index.insert(1, asked);
  assert.equal(index.tokensOn(1, asked), 400, 'what was looked up before is looked up anew after a change');
});

test('names the nodes that have most of a prompt', () => {
  const index = new PrefixIndex();
  index.insert(0, prefixOf(1, 2, 3));
  index.insert(2, prefixOf(1, 2, 9));
  index.insert(4, prefixOf(1, 2, 3));
  assert.deepEqual(index.holdersOf(prefixOf(1, 2, 3, 4)), [0, 4]);
  assert.deepEqual(index.holdersOf(prefixOf(7)), []);
  assert.deepEqual(index.holdersOf(prefixOf()), []);
  index.forget(0);
  assert.deepEqual(index.holdersOf(prefixOf(1, 2, 3, 4)), [4]);
});

test('forgets the longest unused prompts of a node, their ends first, and keeps other nodes', () => {
  const index = new PrefixIndex();
  index.insert(0, prefixOf(1, 2), 300);
  index.insert(1, prefixOf(1, 2), 300);
  index.insert(0, prefixOf(5, 6), 300);
  assert.equal(index.tokensOn(0, prefixOf(1, 2)), 100);
  assert.equal(index.tokensOn(0, prefixOf(5, 6)), 200);
  assert.equal(index.tokensOn(1, prefixOf(1, 2)), 200);
  index.forget(1);
  assert.equal(index.tokensOn(1, prefixOf(1, 2)), 0);
});

test('agrees with a plain list of what each node was sent, and is bounded', () => {
  const prompt = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), prompt), { maxLength: 30 }), prompt, (sent, asked) => {
      const index = new PrefixIndex();
      for (const [node, blocks] of sent) index.insert(node, prefixOf(...chained(blocks)));
      for (const node of [0, 1, 2, 3]) {
        const depths = sent
          .filter(([to]) => to === node)
          .map(([, blocks]) => {
            const differs = asked.findIndex((each, at) => blocks[at] !== each);
            return differs < 0 ? asked.length : differs;
          });
        assert.equal(index.tokensOn(node, prefixOf(...chained(asked))), 100 * Math.max(0, ...depths));
      }
    }),
  );
  const index = new PrefixIndex();
  for (let nth = 0; nth < 3_000; nth += 1) index.insert(nth % 4, prefixOf(nth, nth + 0.25, nth + 0.5), 50_000);
  assert.ok(index.size <= 4 * 500);
});
