import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeenRequest } from '../seen.ts';
import { PrefixMemory } from './prefix-memory.ts';

function prompt(...blocks: number[]): SeenRequest {
  const seen = { id: 1, model: 'm', caller: 0, arrivedAt: 0, promptTokens: 1000, bytes: 4000, maxTokens: null };
  return { ...seen, blocks, blockTokens: 64, deadlineMs: 60_000 };
}

test('a node is believed to have the leading blocks of what was sent there', () => {
  const memory = new PrefixMemory(10_000);
  memory.insert(3, prompt(1, 2, 3), 0);
  assert.equal(memory.matched(3, prompt(1, 2, 9), 0), 128);
  assert.equal(memory.matched(3, prompt(9, 2, 3), 0), 0);
  assert.equal(memory.matched(2, prompt(1, 2, 3), 0), 0);
});

test('the longest unused is forgotten first, the end of a prompt before its beginning', () => {
  const memory = new PrefixMemory(4 * 64);
  memory.insert(0, prompt(1, 2, 3), 0);
  memory.insert(0, prompt(4, 5), 1);
  assert.equal(memory.matched(0, prompt(1, 2, 3), 2), 128);
  assert.equal(memory.matched(0, prompt(4, 5), 2), 128);
});

test('what was sent too long ago is not believed in', () => {
  const memory = new PrefixMemory(Infinity, 1_000);
  memory.insert(0, prompt(1, 2), 0);
  assert.equal(memory.matched(0, prompt(1, 2), 1_000), 128);
  assert.equal(memory.matched(0, prompt(1, 2), 1_001), 0);
});
