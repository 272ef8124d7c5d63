import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from './retry-budget.ts';

/** Pays for retries until the budget refuses; returns how many it paid for. */
function spend(budget: RetryBudget, now: number): number {
  for (let paid = 0; ; paid++) if (!budget.withdraw(now)) return paid;
}

test('ten retries come by themselves every second', () => {
  const budget = new RetryBudget(0);
  spend(budget, 0);
  assert.equal(budget.withdraw(0), false);
  assert.equal(spend(budget, 1000), 10);
  assert.equal(spend(budget, 1050), 0);
  assert.equal(spend(budget, 1500), 5);
});

test('every request puts in a fifth of a retry', () => {
  const budget = new RetryBudget(0);
  spend(budget, 0);
  for (let request = 0; request < 500; request++) budget.deposit(0);
  assert.ok(Math.abs(budget.tokens(0) - 100) < 1e-6);
  assert.ok(Math.abs(spend(budget, 0) - 100) <= 1);
});

test('a quiet night saves up no more than ten seconds of the trickle', () => {
  const budget = new RetryBudget(0);
  assert.equal(budget.tokens(24 * 3600 * 1000), 100);
});

test('a clock that steps back takes nothing away', () => {
  const budget = new RetryBudget(1000);
  spend(budget, 1000);
  budget.deposit(500);
  assert.ok(budget.tokens(500) >= 0.2);
});
