import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProbeResult, unknownLoad } from '../probe.ts';
import { afterProbe, afterRefusedKey, type Health, unprobed, wantsQuickProbe } from './health.ts';

const answered = (state: 'ready' | 'loading'): ProbeResult => {
  return { kind: 'answered', engine: 'openai', state, models: [], slots: null, load: unknownLoad, version: null };
};
const failed: ProbeResult = { kind: 'unreachable', detail: 'why' };
const refused: ProbeResult = { kind: 'unauthorized', detail: 'key' };

function after(...results: readonly ProbeResult[]): Health {
  return results.reduce((health, result) => afterProbe(health, result, 0), unprobed);
}

test('one success makes a node ready, and two failures in a row take it out', () => {
  assert.equal(after(answered('ready')).state, 'ready');
  assert.equal(after(answered('ready'), failed).state, 'ready');
  assert.equal(after(answered('ready'), failed, answered('ready'), failed).state, 'ready');
  const out = after(answered('ready'), failed, failed);
  assert.deepEqual([out.state, out.detail], ['offline', 'why']);
  assert.equal(after(answered('ready'), failed, failed, answered('ready')).detail, null);
});

test('a node whose first probe fails is offline at once', () => {
  assert.equal(after(failed).state, 'offline');
  assert.equal(after({ kind: 'nonsense', detail: 'html' }).state, 'offline');
});

test('a refused key is believed at once, and a success lifts it', () => {
  assert.equal(after(answered('ready'), refused).state, 'misconfigured');
  assert.equal(after(refused, answered('ready')).state, 'ready');
  assert.equal(after(refused, failed).state, 'misconfigured');
  assert.equal(after(refused, failed, failed).state, 'offline');
});

test('a key refused to a request is held against the node for a while, whatever its open list says', () => {
  const doubted = afterRefusedKey(after(answered('ready')), 1000);
  assert.equal(doubted.state, 'misconfigured');
  assert.equal(afterProbe(doubted, answered('ready'), 30_999).state, 'misconfigured');
  assert.equal(afterProbe(doubted, answered('ready'), 31_000).state, 'ready');
});

test('a loading engine is no failure', () => {
  const loading = after(failed, answered('loading'));
  assert.deepEqual([loading.state, loading.failures], ['loading', 0]);
});

test('a node is probed soon again while anything may change at any moment', () => {
  assert.equal(wantsQuickProbe(unprobed, 0), true);
  assert.equal(wantsQuickProbe(after(failed), 0), true);
  assert.equal(wantsQuickProbe(after(answered('ready'), failed), 0), true);
  assert.equal(wantsQuickProbe(after(answered('loading')), 0), true);
  assert.equal(wantsQuickProbe(after(answered('ready')), 0), false);
  assert.equal(wantsQuickProbe(after(refused), 0), false);
});

test('a node that has been offline for a minute is probed at the usual pace, until it answers', () => {
  let health = afterProbe(unprobed, failed, 1000);
  for (const now of [2000, 30_000, 60_999]) {
    health = afterProbe(health, failed, now);
    assert.equal(wantsQuickProbe(health, now), true);
  }
  health = afterProbe(health, failed, 61_000);
  assert.equal(wantsQuickProbe(health, 61_000), false);
  health = afterProbe(health, answered('ready'), 70_000);
  health = afterProbe(health, failed, 80_000);
  assert.equal(wantsQuickProbe(health, 80_000), true);
});
