import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { problemsOf } from '../../test/support/load-config.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../test/fixtures/config/${name}`, import.meta.url), 'utf8');

test('all that is wrong with a file is told at once, each with its place and what to write', async (t) => {
  const problems = await problemsOf(t, { yaml: fixture('broken.yaml') });
  assert.deepEqual(problems, fixture('broken.txt').trimEnd().split('\n'));
});
