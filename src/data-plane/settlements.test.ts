import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Settlement } from '../fleet/settlement.ts';
import { ManualClock } from '../lib/clock.ts';
import { Settlements } from './settlements.ts';

function settlement(id: string): Settlement {
  return {
    id,
    clientRequestId: null,
    traceparent: null,
    arrivedAt: 0,
    dialect: 'openai',
    path: '/v1/chat/completions',
    model: null,
    modelOffered: false,
    keyId: null,
    address: null,
    stream: false,
    outcome: 'served',
    status: 200,
    code: null,
    waitMs: null,
    firstByteMs: null,
    durationMs: 0,
    requestBytes: 0,
    responseBytes: 0,
    usage: null,
    attempts: [],
  };
}

function setUp(): { clock: ManualClock; settlements: Settlements; batches: string[][]; away: { value: boolean } } {
  const clock = new ManualClock();
  const batches: string[][] = [];
  const away = { value: false };
  const settlements = new Settlements(clock, (batch) => {
    if (!away.value) batches.push([...batch.ids]);
    return !away.value;
  });
  return { clock, settlements, batches, away };
}

test('settlements go in batches, a tenth of a second after the first', () => {
  const { clock, settlements, batches } = setUp();
  settlements.add(settlement('a'));
  clock.advance(60);
  settlements.add(settlement('b'));
  assert.deepEqual(batches, []);
  clock.advance(40);
  assert.deepEqual(batches, [['a', 'b']]);
  clock.advance(1000);
  assert.equal(batches.length, 1);
});

test('a full batch goes at once', () => {
  const { settlements, batches } = setUp();
  for (let number = 0; number < 256; number += 1) settlements.add(settlement(String(number)));
  assert.equal(batches[0]?.length, 256);
});

test('while the control plane is away they are kept, and sent when it is back without another request', () => {
  const { clock, settlements, batches, away } = setUp();
  away.value = true;
  settlements.add(settlement('a'));
  clock.advance(5000);
  assert.deepEqual(batches, []);
  away.value = false;
  clock.advance(100);
  assert.deepEqual(batches, [['a']]);
  assert.equal(settlements.dropped, 0);
});

test('beyond ten thousand the oldest are dropped and counted', () => {
  const { settlements, batches, away } = setUp();
  away.value = true;
  for (let number = 0; number < 10_300; number += 1) settlements.add(settlement(String(number)));
  settlements.flush();
  away.value = false;
  settlements.flush();
  assert.equal(settlements.dropped, 300);
  assert.deepEqual([batches.length, batches[0]?.length, batches[0]?.[0]], [40, 256, '300']);
  assert.deepEqual(
    batches.flat(),
    Array.from({ length: 10_000 }, (_, nth) => String(nth + 300)),
  );
});
