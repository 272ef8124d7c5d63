import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Speed } from './speed.ts';

function near(actual: number, expected: number, share: number): void {
  assert.ok(Math.abs(actual - expected) <= share * expected, `${actual} is not ${expected}`);
}

/** First tokens of a node that takes 30 ms and 0.2 ms a token. */
function hear(speed: Speed, times: number, factor = 1): void {
  for (let nth = 0; nth < times; nth += 1) {
    const tokens = 100 + 700 * (nth % 4);
    speed.firstToken(30 + factor * 0.2 * tokens, { tokens, promptMs: speed.promptMs, aheadMs: 0 }, nth);
  }
}

test('ten answers tell a speed that was guessed wrong, and what is ahead is not held against it', () => {
  const speed = new Speed('vllm', 8);
  hear(speed, 20);
  near(speed.promptMs, 0.2, 0.2);
  for (let nth = 0; nth < 40; nth += 1) speed.firstToken(530, { tokens: 1000, promptMs: 0.2, aheadMs: 300 }, 0);
  near(speed.promptMs, 0.2, 0.1);
});

test('a first token that waited inside the engine teaches nothing; many in a row do', () => {
  const speed = new Speed('vllm', 8);
  hear(speed, 50);
  const { promptMs } = speed;
  const sent = { tokens: 2000, promptMs, aheadMs: 0 };
  assert.ok(speed.isTrusted && speed.isLate(20_000, 430) && !speed.isLate(800, 430));
  for (let nth = 0; nth < 5; nth += 1) speed.firstToken(20_000, sent, 0);
  assert.equal(speed.promptMs, promptMs);
  hear(speed, 200, 6);
  near(speed.promptMs, 1.2, 0.25);
});

test('nobody is late before the node is known', () => {
  assert.equal(new Speed('openai', 8).isLate(60_000, 10), false);
});

test('what a change of model costs is learned apart from the speed', () => {
  const speed = new Speed('ollama', 1);
  hear(speed, 20);
  const { promptMs } = speed;
  for (let nth = 0; nth < 30; nth += 1) speed.switched(6_130, { tokens: 500, promptMs, aheadMs: 0 });
  near(speed.switchMs, 6_000, 0.1);
  assert.equal(speed.promptMs, promptMs);
});
