import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, chooseNodes, isWantedBy } from './distribution.ts';

const GB = 1024 ** 3;
const everywhere = { nodes: null, tags: null, fitsBytes: null };

function node(name: string, more: Partial<Candidate> = {}): Candidate {
  return { id: `id-${name}`, name, tags: [], memoryBytes: null, has: false, obstacle: null, ...more };
}

const noMeans = { code: 'not_supported', reason: 'No.' } as const;
const fleet = [
  node('small', { tags: ['gpu'], memoryBytes: 8 * GB }),
  node('large', { tags: ['gpu', 'site-a'], memoryBytes: 80 * GB }),
  node('unknown', { tags: ['site-a'] }),
  node('full', { tags: ['gpu'], memoryBytes: 80 * GB, has: true }),
  node('vllm', { tags: ['gpu'], memoryBytes: 80 * GB, obstacle: noMeans }),
];

function names(selection: Partial<Parameters<typeof chooseNodes>[1]>): [string[], string[]] {
  const { nodes, skipped } = chooseNodes(fleet, { ...everywhere, ...selection });
  return [nodes.map(({ name }) => name), skipped.map(({ name, code }) => `${name} ${code}`)];
}

test('nodes are meant by name or id, by tag, and by both at once', () => {
  assert.deepEqual(names({}), [
    ['small', 'large', 'unknown'],
    ['full present', 'vllm not_supported'],
  ]);
  assert.deepEqual(names({ nodes: ['small', 'id-unknown'] }), [['small', 'unknown'], []]);
  assert.deepEqual(names({ tags: ['site-a', 'nowhere'] }), [['large', 'unknown'], []]);
  assert.deepEqual(names({ nodes: ['small', 'unknown'], tags: ['gpu'] }), [['small'], []]);
});

test('a model goes to where it fits with room for its context, and not to where that is not known', () => {
  assert.deepEqual(names({ fitsBytes: 7 * GB }), [
    ['large'],
    ['small does_not_fit', 'unknown memory_unknown', 'full present', 'vllm not_supported'],
  ]);
  assert.deepEqual(names({ fitsBytes: 6.6 * GB, nodes: ['small'] }), [['small'], []]);
  const { skipped } = chooseNodes(fleet, { ...everywhere, nodes: ['small'], fitsBytes: 7 * GB });
  assert.equal(skipped[0]?.reason, 'It needs about 8.4 GB, and there are 8.0 GB.');
});

test('a rule means nodes by tag that are known to lack the model and can pull it', () => {
  const rule = { model: 'm', tags: ['gpu'] };
  assert.deepEqual(
    fleet.filter((one) => isWantedBy(rule, one)).map(({ name }) => name),
    ['small', 'large'],
  );
  assert.equal(isWantedBy(rule, node('silent', { tags: ['gpu'], has: null })), false);
  assert.equal(isWantedBy({ model: 'm', tags: null }, node('untagged')), true);
});
