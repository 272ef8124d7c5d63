import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, settingsFrom } from '../../../test/support/load-config.ts';

test('a model has time-outs of its own, under either of its names', async (t) => {
  const yaml = 'timeouts:\n  models:\n    - { model: "big:latest", firstByte: 600s, betweenBytes: 5m }\n';
  const { modelTimeouts } = await settingsFrom(t, { yaml });
  assert.deepEqual(modelTimeouts, { big: { firstByteMs: 600_000, betweenBytesMs: 300_000 } });
});

test('what cannot be a model’s time-out is named with what to write', async (t) => {
  const yaml =
    'timeouts:\n  models:\n    - { firstByte: 1s }\n    - { model: a, connect: 1s }\n    - { model: "a:latest", firstByte: 2s }\n';
  const text = (await problemsOf(t, { yaml })).join('\n');
  assert.match(text, /has no model; write model: NAME/);
  assert.match(text, /connect.*unknown/);
  assert.match(text, /sets nothing; write one of firstByte, betweenBytes/);
  assert.match(text, /"a:latest" has its time-outs above/);
});
