import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { picture, plainLine, stageOf, wrap, type View } from './screen.ts';
import { Tally } from './tally.ts';

function view(change: Partial<View> = {}): View {
  const tally = new Tally(new ManualClock());
  for (let turn = 0; turn < 4; turn += 1) tally.send();
  tally.end('served', 1500);
  tally.end('refused', null);
  const nodes = [
    { name: 'gpu-1', slots: 4, taken: 4, state: 'ready' },
    { name: 'gpu-2', slots: 2, taken: 1, state: 'offline' },
  ];
  const figures = { waiters: 12, nodes, settled: 2, idleGauges: {} };
  return {
    fleet: 'two engines',
    elapsedMs: 7000,
    totalMs: 60_000,
    phase: 'the crowd grows',
    clients: 15,
    mostClients: 30,
    maxWaiters: 20,
    isRefusing: false,
    tally,
    figures,
    ...change,
  };
}

test('the stages are those of admission, and a refusal tells more than the count', () => {
  assert.deepEqual(
    [0, 9, 10, 15, 16].map((waiters) => stageOf(waiters, 20, false)),
    ['accept', 'accept', 'delay', 'delay', 'refuse'],
  );
  assert.equal(stageOf(15, 20, true), 'refuse');
  assert.equal(stageOf(0, 20, true), 'accept', 'the crowd went home since');
});

test('the picture shows time, clients, the waiting room, each node and every ending', () => {
  const text = picture(view()).join('\n');
  assert.match(text, / 7 of 60 s {3}the crowd grows/);
  assert.match(text, /clients +█{15}░{15} 15\n/);
  assert.match(text, /waiting +█{15}\|█{3}░{6}\|░{6} 12 of 20 {3}delaying/);
  assert.match(text, /gpu-1 +█{30} 4\/4 slots\n/);
  assert.match(text, /gpu-2 +█{15}░{15} 1\/2 slots \(offline\)/);
  assert.match(text, /sent 4 {3}served 1 \(0\.1\/s\) {3}refused 1 {3}timed out 0 {3}failed 0 {3}gone 0/);
  assert.match(text, /p50 1\.5 s {3}p95 1\.5 s/);
});

test('a router that does not answer is said so, not shown as idle', () => {
  assert.match(picture(view({ figures: null })).join('\n'), /no answer from the router/);
  assert.match(plainLine(view({ figures: null })), /no answer/);
});

test('the plain line carries the same numbers', () => {
  const line = plainLine(view());
  assert.match(
    line,
    /7 s {2}clients 15 {2}waiting 12\/20 \(delay\) {2}served 1 .* p50 1\.5 s p95 1\.5 s {2}gpu-1 4\/4 gpu-2 1\/2$/,
  );
  assert.ok(!line.includes('\n'));
});

test('long lines are broken at spaces and keep their indent', () => {
  assert.deepEqual(wrap('  one two three four', 11), ['  one two', '  three', '  four']);
  assert.deepEqual(wrap('short', 80), ['short']);
  assert.deepEqual(wrap('unbreakable', 6), ['unbrea', 'kable']);
});
