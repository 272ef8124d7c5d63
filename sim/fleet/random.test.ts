import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exponential, gamma, geometric, logNormal, seeded, stream, zipf } from './random.ts';

test('one seed gives the same numbers, names give streams of their own', () => {
  const [first, again] = [stream(1, 'a'), stream(1, 'a')];
  const [otherName, otherSeed] = [stream(1, 'b'), stream(2, 'a')];
  for (let nth = 0; nth < 5; nth++) {
    const drawn = first();
    assert.equal(again(), drawn);
    assert.notEqual(otherName(), drawn);
    assert.notEqual(otherSeed(), drawn);
  }
});

test('the distributions have their means and spreads', () => {
  const random = seeded(7);
  const rank = zipf(3, 1);
  const cases: [draw: () => number, mean: number, variation: number | null][] = [
    [() => exponential(random, 3), 3, 1],
    [() => gamma(random, 0.3, 5), 5, 1 / Math.sqrt(0.3)],
    [() => gamma(random, 0.84, 5), 5, 1 / Math.sqrt(0.84)],
    [() => gamma(random, 4, 5), 5, 0.5],
    [() => logNormal(random, 1, 0.5), Math.exp(1 + 0.125), null],
    [() => geometric(random, 4), 4, null],
    [() => (rank(random) === 0 ? 1 : 0), 6 / 11, null],
  ];
  for (const [nth, [draw, mean, variation]] of cases.entries()) {
    const values = Array.from({ length: 40_000 }, draw);
    const drawnMean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - drawnMean) ** 2, 0) / values.length;
    assert.ok(Math.abs(drawnMean / mean - 1) < 0.04, `${nth}: mean ${drawnMean}, not ${mean}`);
    const drawnVariation = Math.sqrt(variance) / drawnMean;
    if (variation !== null) assert.ok(Math.abs(drawnVariation / variation - 1) < 0.04, `${nth}: ${drawnVariation}`);
  }
});
