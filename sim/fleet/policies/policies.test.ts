import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../random.ts';
import type { Reading, SeenNode, SeenRequest } from '../seen.ts';
import { rivalNamed } from './catalogue.ts';
import type { Rival, Sent } from './rival.ts';

function rival(name: string): Rival {
  const entry = rivalNamed(name);
  assert.ok(entry);
  return entry.make(seeded(1));
}

interface Seen {
  readonly inFlight?: number;
  readonly reading?: Partial<Reading>;
}

function nodes(...all: readonly Seen[]): SeenNode[] {
  return all.map(({ inFlight = 0, reading }, index) => ({
    index,
    name: `n${index}`,
    engine: 'sglang',
    slots: 64,
    models: ['m'],
    inFlight,
    reading: reading ? { ...nothingRead, ...reading } : null,
  }));
}

const nothingRead: Reading = {
  readAt: 0,
  running: null,
  waiting: null,
  cacheUse: null,
  waitingTokens: null,
  tokensPerSecond: null,
};

function request(id: number, promptTokens = 640, blocks: readonly number[] = []): SeenRequest {
  const { length } = blocks;
  const tokens = Math.max(promptTokens, length * 64);
  return {
    id,
    model: 'm',
    caller: 0,
    arrivedAt: 0,
    promptTokens: tokens,
    bytes: 4 * tokens,
    maxTokens: null,
    blocks,
    blockTokens: 64,
    deadlineMs: 60_000,
  };
}

function send(to: Rival, of: SeenRequest, node: number, sentAt = 0): Sent {
  const sent: Sent = { request: of, node, sentAt, firstAt: null, tokens: 0 };
  to.sent?.(sent);
  return sent;
}

/** The node it chooses every time of many, or null where that varies. */
function always(of: Rival, asked: SeenRequest, among: readonly SeenNode[], now = 0): number | null {
  const chosen = new Set(Array.from({ length: 30 }, () => of.choose(asked, among, now)?.index));
  const [only] = chosen;
  return chosen.size === 1 && only !== undefined ? only : null;
}

const prefix = [1, 2, 3, 4, 5, 6, 7, 8];

test('round robin goes in turn, least in flight to the emptiest, power of two never to the fullest', () => {
  const turns = rival('round-robin');
  const three = nodes({}, {}, {});
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => turns.choose(request(id), three, 0)?.index),
    [0, 1, 2, 0],
  );
  assert.equal(
    always(rival('least-in-flight'), request(1), nodes({ inFlight: 2 }, { inFlight: 1 }, { inFlight: 3 })),
    1,
  );
  const p2c = rival('power-of-two');
  for (let id = 0; id < 50; id++) {
    assert.notEqual(p2c.choose(request(id), nodes({ inFlight: 9 }, { inFlight: 1 }, { inFlight: 2 }), 0)?.index, 0);
  }
});

test('peak EWMA jumps to a slow exchange and comes back slowly', () => {
  const ewma = rival('peak-ewma');
  ewma.ended?.(send(ewma, request(1), 0), 'served', 5_000);
  ewma.ended?.(send(ewma, request(2), 1), 'served', 1_000);
  assert.equal(always(ewma, request(3), nodes({}, {}), 5_000), 1);
  // Five times slower is worth four more open requests, not six.
  assert.equal(always(ewma, request(4), nodes({}, { inFlight: 20 }), 5_000), 0);
});

test('best tokens per second goes to the fastest whatever its load', () => {
  const best = rival('best-tps');
  for (const [node, tokens] of [10, 50].entries()) {
    const sent = send(best, request(node), node);
    sent.tokens = tokens;
    best.ended?.(sent, 'served', 1_000);
  }
  assert.equal(always(best, request(3), nodes({}, { inFlight: 1000 })), 1);
});

test('CHWBL keeps a prefix on its node until that has 1.25 times the mean', () => {
  const hashing = rival('chwbl');
  const home = always(hashing, request(1, 640, prefix), nodes({}, {}, {}, {}));
  assert.notEqual(home, null);
  const loaded = (inFlight: number): SeenNode[] =>
    nodes(...[0, 1, 2, 3].map((index) => ({ inFlight: index === home ? inFlight : 4 })));
  assert.equal(always(hashing, request(2, 640, prefix), loaded(4)), home);
  assert.notEqual(always(hashing, request(3, 640, prefix), loaded(8)), home);
});

test('cache_aware follows the prefix while loads are balanced, and the shortest queue when they are not', () => {
  const aware = rival('sglang-cache-aware');
  send(aware, request(1, 640, prefix), 2);
  const half = [...prefix, 9, 10, 11];
  assert.equal(always(aware, request(2, 704, half), nodes({ inFlight: 1 }, {}, { inFlight: 20 })), 2);
  assert.equal(always(aware, request(3, 704, half), nodes({ inFlight: 1 }, {}, { inFlight: 40 })), 1);
  // Less than half matches.
  assert.equal(always(aware, request(4, 704, prefix.slice(0, 5)), nodes({ inFlight: 1 }, {}, { inFlight: 20 })), 1);
});

test('least_load weighs queued tokens by speed, credits what it sent since the poll, and shuns a full cache', () => {
  const least = rival('smg-least-load');
  const poll = (node: number, of: Partial<Reading>): void => least.polled?.(node, { ...nothingRead, ...of });
  poll(0, { waitingTokens: 4000, tokensPerSecond: 4000, cacheUse: 0.2 });
  poll(1, { waitingTokens: 3000, tokensPerSecond: 1000, cacheUse: 0.2 });
  assert.equal(always(least, request(1), nodes({}, {})), 0);
  // 8 × 1024 tokens more at 4000/s: 3.05 s against 3 s.
  for (let id = 0; id < 8; id++) send(least, request(id, 1024), 0);
  assert.equal(always(least, request(1), nodes({}, {})), 1);
  poll(1, { waitingTokens: 3000, tokensPerSecond: 1000, cacheUse: 0.9 });
  assert.equal(always(least, request(1), nodes({}, {})), 0);
  // After three polls without news it counts open requests.
  assert.equal(always(least, request(1), nodes({ inFlight: 3 }, { inFlight: 2 }), 30_001), 1);
});

test('llm-d adds prefix 3, queue 2 and cache 2', () => {
  const epp = rival('llm-d');
  const idle = { waiting: 0, cacheUse: 0 };
  send(epp, request(1, 512, prefix), 1);
  assert.equal(always(epp, request(2, 512, prefix), nodes({ reading: idle }, { reading: idle })), 1);
  // The whole prefix (3) against a shorter queue (2) and half a cache (1): even; a little more cache decides.
  const busy = { waiting: 5, cacheUse: 0.51 };
  assert.equal(always(epp, request(3, 512, prefix), nodes({ reading: idle }, { reading: busy })), 0);
  assert.equal(
    always(epp, request(3, 512, prefix), nodes({ reading: idle }, { reading: { ...busy, cacheUse: 0.49 } })),
    1,
  );
});

test('Dynamo adds prefill and active blocks, and clears the prefill at the first token', () => {
  const cost = rival('dynamo');
  const sent = send(cost, request(1, 1600), 0);
  send(cost, request(2, 2400), 1);
  // 1600 pending and 1600 active against 2400 and 2400; then 1600 active only.
  assert.equal(always(cost, request(3, 64), nodes({}, {})), 0);
  const second = send(cost, request(4, 1600), 0);
  assert.equal(always(cost, request(3, 64), nodes({}, {})), 1);
  cost.firstToken?.(sent, 10);
  assert.equal(always(cost, request(3, 64), nodes({}, {})), null);
  cost.firstToken?.(second, 10);
  assert.equal(always(cost, request(3, 64), nodes({}, {})), 0);
  cost.ended?.(second, 'served', 20);
});

test('LMetric multiplies the new prefill tokens by the batch', () => {
  const product = rival('lmetric');
  send(product, request(1, 640, prefix), 1);
  // 640 pending and 128 uncached × 2, against 640 × 3; the batch decides when it grows.
  const asked = request(2, 640, prefix);
  assert.equal(always(product, asked, nodes({ inFlight: 2 }, { inFlight: 1 })), 1);
  assert.equal(always(product, asked, nodes({ inFlight: 2 }, { inFlight: 3 })), 0);
});

test('the least predicted first token learns how fast each node reads', () => {
  const quickest = rival('min-ttft');
  for (const [node, ms] of [2_000, 500].entries()) {
    const sent = send(quickest, request(node, 2_000), node);
    quickest.firstToken?.(sent, ms);
    quickest.ended?.(sent, 'served', ms);
  }
  assert.equal(always(quickest, request(9, 1_000), nodes({}, {})), 1);
  // Four times as fast, but 4000 tokens are before it.
  send(quickest, request(10, 4_000), 1);
  assert.equal(always(quickest, request(11, 1_000), nodes({}, {})), 0);
});
