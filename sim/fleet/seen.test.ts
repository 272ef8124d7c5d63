import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const here = import.meta.dirname;

test('policies and routers see only what HTTP shows: they import nothing of the engines, the world or the workloads', () => {
  const files = globSync('{policies,routers}/*.ts', { cwd: here }).filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.length > 10, files.join(' '));
  for (const file of files) {
    const text = readFileSync(join(here, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/from '(\.[^']+)'/g)) {
      const to = relative(here, join(here, dirname(file), target));
      const isAllowed = /^(policies\/|routers\/|\.\.\/\.\.\/src\/)/.test(to) || to === 'seen.ts' || to === 'random.ts';
      assert.ok(isAllowed, `${file} imports ${to}`);
    }
  }
});
