import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { loadedFrom, problemsOf, settingsFrom } from '../../../test/support/load-config.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const longKey = 'k-0123456789abcdef';

test('a key is kept as its SHA-256 with all its limits', async (t) => {
  const yaml = `
auth:
  keys:
    - label: team-a
      key: "\${TEAM_A}"
      expiresAt: 2030-01-31T18:00:00Z
      models: [llama3, "qwen:7b"]
      weight: 2.5
      maxConcurrent: 4
      ratePerMinute: 60
      maxPriority: high
      maxDeadline: 2m
      mayManage: true
      resume: false
    - label: team-b
      hash: ${sha256('other').toUpperCase()}
`;
  const { auth } = await settingsFrom(t, { yaml, env: { TEAM_A: longKey } });
  assert.deepEqual(auth.keys, [
    {
      label: 'team-a',
      hash: sha256(longKey),
      expiresAt: Date.UTC(2030, 0, 31, 18),
      models: ['llama3', 'qwen:7b'],
      weight: 2.5,
      maxConcurrent: 4,
      ratePerMinute: 60,
      maxPriority: 'high',
      maxDeadlineMs: 120_000,
      mayManage: true,
      resume: false,
    },
    {
      label: 'team-b',
      hash: sha256('other'),
      expiresAt: null,
      models: null,
      weight: 1,
      maxConcurrent: null,
      ratePerMinute: null,
      maxPriority: 'normal',
      maxDeadlineMs: null,
      mayManage: false,
      resume: true,
    },
  ]);
});

test('two keys may share neither label nor secret, and each needs key or hash', async (t) => {
  const keys = [
    `{ label: a, key: ${longKey} }`,
    `{ label: a, key: other-${longKey} }`,
    `{ label: c, hash: ${sha256(longKey)} }`,
    `{ label: d, key: ${longKey}, hash: ${sha256('x')} }`,
    `{ key: x-${longKey} }`,
  ];
  const problems = await problemsOf(t, { yaml: `auth:\n  keys:\n${keys.map((key) => `    - ${key}\n`).join('')}` });
  assert.deepEqual(problems, [
    'auth.keys[1] (weir.yaml:4): the label "a" is taken; every key needs its own',
    'auth.keys[2] (weir.yaml:5): it is the same key as "a"; every key needs its own',
    'auth.keys[3] (weir.yaml:6): needs either key or hash; write key: "${NAME}" to take it from the environment',
    'auth.keys[4] (weir.yaml:7): has no label; write one, such as label: team-a',
  ]);
});

test('a key that can be guessed or has expired earns a warning', async (t) => {
  const yaml = `auth: { keys: [{ label: a, key: short }, { label: b, key: ${longKey}, expiresAt: 2025-12-31 }] }`;
  const { warnings } = await loadedFrom(t, { yaml });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? '', /"a" is short/);
  assert.match(warnings[1] ?? '', /"b" has expired/);
});

test('an impossible time or an unset variable for a key is refused without a second complaint', async (t) => {
  const yaml = `auth: { keys: [{ label: a, key: "\${NOT_SET}" }, { label: b, key: ${longKey}, expiresAt: tomorrow }] }`;
  assert.deepEqual(await problemsOf(t, { yaml }), [
    'auth.keys[0].key (weir.yaml:1): the environment has no NOT_SET; set it, or write the value itself',
    'auth.keys[1].expiresAt (weir.yaml:1): "tomorrow" is not a time; write one such as 2027-01-31 or 2027-01-31T18:00:00Z',
  ]);
});
