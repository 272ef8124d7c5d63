import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/support/fleet.ts';
import { Trend } from './trend.ts';

function near(actual: number, expected: number, within: number): void {
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);
}

test('finds a line in noise, whatever was guessed', () => {
  const random = seededRandom(1);
  const trend = new Trend(100, 10, 8);
  for (let nth = 0; nth < 300; nth += 1) {
    const x = 1 + 30 * random();
    trend.add(x, (5 + 0.4 * x) * (0.9 + 0.2 * random()));
  }
  near(trend.at(1), 5.4, 0.6);
  near(trend.at(30), 17, 1);
});

test('follows a change', () => {
  const trend = new Trend(10, 0, 8);
  for (let nth = 0; nth < 200; nth += 1) trend.add(1 + (nth % 8), 10);
  for (let nth = 0; nth < 200; nth += 1) trend.add(1 + (nth % 8), 40);
  near(trend.at(4), 40, 1.5);
});

test('keeps its slope where everything is measured at one place, and never falls', () => {
  const trend = new Trend(10, 2, 8);
  for (let nth = 0; nth < 1000; nth += 1) trend.add(4, 36);
  near(trend.at(4), 36, 0.01);
  assert.ok(trend.slope >= 0 && trend.intercept >= 0);
  for (let nth = 0; nth < 100; nth += 1) trend.add(8, 1);
  assert.ok(trend.slope >= 0 && trend.intercept >= 0);
});
