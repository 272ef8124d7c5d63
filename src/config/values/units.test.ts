import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, parseSize, showDuration, showSize } from './units.ts';

test('durations are read in every unit', () => {
  const expected: Record<string, number> = {
    '10ms': 10,
    '30s': 30_000,
    '5m': 300_000,
    '1h': 3_600_000,
    '7d': 604_800_000,
    '1.5s': 1500,
    ' 2 S ': 2000,
    '0': 0,
    '0s': 0,
  };
  for (const [text, ms] of Object.entries(expected))
    assert.deepEqual(parseDuration(text), { ok: true, value: ms }, text);
});

test('a bare number is no duration, and the message says which unit to write', () => {
  const reading = parseDuration('30');
  assert.ok(!reading.ok);
  assert.equal(reading.problem, '"30" has no unit; write 30s for seconds or 30ms for milliseconds');
});

test('sizes count in 1024 and a bare number is bytes', () => {
  const expected: Record<string, number> = {
    '256kb': 262_144,
    '32mb': 33_554_432,
    '1gb': 1_073_741_824,
    '1.5kb': 1536,
    '32m': 33_554_432,
    '32MiB': 33_554_432,
    '12b': 12,
    '4096': 4096,
  };
  for (const [text, bytes] of Object.entries(expected))
    assert.deepEqual(parseSize(text), { ok: true, value: bytes }, text);
  assert.equal(parseSize('0.3b').ok, false);
});

test('what is shown is read back as the same amount', () => {
  fc.assert(
    fc.property(fc.nat(2_000_000_000), (amount) => {
      assert.deepEqual(parseDuration(showDuration(amount)), { ok: true, value: amount });
      assert.deepEqual(parseSize(showSize(amount)), { ok: true, value: amount });
    }),
  );
});

test('round amounts are shown as people write them', () => {
  assert.deepEqual([10, 5000, 90_000, 300_000, 600_000, 86_400_000].map(showDuration), [
    '10ms',
    '5s',
    '90s',
    '300s',
    '10m',
    '1d',
  ]);
  assert.deepEqual([1000, 32 * 1024 ** 2, 1024 ** 3].map(showSize), ['1000b', '32mb', '1gb']);
});

test('any text is read or refused with advice, and a number never loses its unit', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const reading of [parseDuration(text), parseSize(text)]) {
        if (reading.ok) assert.ok(Number.isSafeInteger(reading.value) && reading.value >= 0);
        else assert.match(reading.problem, /write|units are/);
      }
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (amount, unit) => {
      const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
      assert.deepEqual(parseDuration(`${amount}${unit}`), { ok: true, value: amount * factor });
      assert.equal(parseDuration(`${amount}`).ok, false);
    }),
  );
});
