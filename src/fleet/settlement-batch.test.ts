import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packSettlements, unpackSettlements } from './settlement-batch.ts';
import { type Settlement, outcomes } from './settlement.ts';

const ms = fc.double({ min: 0, max: 1e9, noNaN: true });
const word = fc.oneof(fc.constantFrom('', 'a', 'llama3', 'ü\u{2028}😀'), fc.string());
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const count = fc.nat(2 ** 40);

const attempt = fc.record({
  nodeId: word,
  nodeName: word,
  startedAfterMs: ms,
  durationMs: ms,
  status: orNull(fc.nat(999)),
  end: fc.constantFrom('complete', 'reset', 'overloaded'),
  model: orNull(word),
});

const settlement: fc.Arbitrary<Settlement> = fc.record({
  id: word,
  clientRequestId: orNull(word),
  traceparent: orNull(word),
  arrivedAt: fc.nat(2 ** 45),
  dialect: fc.constantFrom('openai', 'anthropic', 'ollama'),
  path: word,
  model: orNull(word),
  modelOffered: fc.boolean(),
  keyId: orNull(word),
  address: orNull(word),
  stream: fc.boolean(),
  outcome: fc.constantFrom(...outcomes),
  status: fc.nat(999),
  code: orNull(fc.constantFrom('capacity_exceeded', 'model_not_found')),
  waitMs: orNull(ms),
  firstByteMs: orNull(ms),
  durationMs: ms,
  requestBytes: count,
  responseBytes: count,
  usage: orNull(
    fc.record({
      promptTokens: orNull(count),
      completionTokens: orNull(count),
      cachedTokens: orNull(count),
      estimated: fc.boolean(),
    }),
  ),
  attempts: fc.array(attempt, { maxLength: 3 }),
});

test('what is packed comes out as it went in, also after a trip between threads', () => {
  fc.assert(
    fc.property(fc.array(settlement, { maxLength: 20 }), (settlements) => {
      assert.deepEqual(unpackSettlements(structuredClone(packSettlements(settlements))), plain(settlements));
    }),
  );
});

test('a batch that lost a part is refused', () => {
  fc.assert(
    fc.property(fc.array(settlement, { minLength: 1, maxLength: 5 }), fc.nat(30), (settlements, lost) => {
      const batch = packSettlements(settlements);
      assert.throws(() => unpackSettlements({ ...batch, numbers: batch.numbers.slice(0, -1 - lost) }), RangeError);
      assert.throws(() => unpackSettlements({ ...batch, outcomes: [] }), RangeError);
    }),
  );
});

/** fast-check's records have no prototype. */
function plain(settlements: readonly Settlement[]): Settlement[] {
  return structuredClone([...settlements]);
}
