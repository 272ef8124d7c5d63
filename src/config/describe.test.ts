import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { settingsFrom } from '../../test/support/load-config.ts';
import { configurationReference, exampleFile } from './describe.ts';
import { flagName, rows, variableName } from './table.ts';

test('docs/configuration.md is what the table of settings says', () => {
  const committed = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(committed, configurationReference());
});

test('the example of the reference can be used as it stands', async (t) => {
  const settings = await settingsFrom(t, {
    yaml: exampleFile,
    env: { TEAM_A_KEY: 'a-key-of-team-a-123', GPU1_KEY: 'x', OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x' },
  });
  assert.equal(settings.aliases.length, 2);
  assert.equal(settings.nodes.length, 5);
  assert.equal(settings.auth.keys.length, 1);
});

test('names of variables and flags follow the path', () => {
  assert.equal(variableName('queue.maxWaiters'), 'WEIR_QUEUE_MAX_WAITERS');
  assert.equal(variableName('admin.token'), 'WEIR_ADMIN_TOKEN');
  assert.equal(variableName('dataDir'), 'WEIR_DATA_DIR');
  assert.equal(flagName('pool.tcpKeepAlive'), 'pool-tcp-keep-alive');
});

test('no two settings share a name and every fallback is a value its kind accepts', () => {
  assert.equal(new Set(rows.map(({ path }) => variableName(path))).size, rows.length);
  for (const { path, kind, fallback } of rows) {
    if (fallback !== null) assert.equal(kind.read(fallback).ok, true, path);
  }
});
