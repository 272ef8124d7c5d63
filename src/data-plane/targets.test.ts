import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../test/support/fleet.ts';
import { Targets } from './targets.ts';

const anything = (): boolean => true;

test('a name that is no alias stands for itself, if the caller may use it', () => {
  const targets = new Targets([], seededRandom(1));
  assert.deepEqual(targets.of('llama3:8b', anything), ['llama3:8b']);
  assert.deepEqual(
    targets.of('llama3:8b', () => false),
    [],
  );
});

test('a split by weight chooses the first by its share, and every order may follow', () => {
  const weights = { a: 6, b: 3, c: 1 };
  const targets = Object.entries(weights).map(([model, weight]) => ({ model, weight }));
  const mix = new Targets([{ name: 'mix', how: 'weighted', waitMs: null, targets }], seededRandom(7));
  const first = new Map<string, number>();
  const orders = new Set<string>();
  for (let turn = 0; turn < 10_000; turn += 1) {
    const order = mix.of('mix', anything);
    orders.add(order.join(''));
    first.set(order[0] ?? '', (first.get(order[0] ?? '') ?? 0) + 1);
  }
  for (const [model, weight] of Object.entries(weights)) {
    // Five standard deviations of 10,000 draws.
    assert.ok(Math.abs((first.get(model) ?? 0) - weight * 1000) < 250, `${model}: ${first.get(model)}`);
  }
  assert.deepEqual([...orders].toSorted(), ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
});

test('shares are kept among the models that a caller may use, and a draw at the very end is a draw', () => {
  const targets = [
    { model: 'a', weight: 0.1 },
    { model: 'b', weight: 0.2 },
    { model: 'c', weight: 0.7 },
  ];
  const last = new Targets([{ name: 'mix', how: 'weighted', waitMs: null, targets }], () => 1 - Number.EPSILON / 2);
  assert.deepEqual(last.of('mix', anything), ['c', 'b', 'a']);
  assert.deepEqual(
    last.of('mix', (name) => name === 'a' || name === 'b'),
    ['b', 'a'],
  );
});
