import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clients } from '../../test/clients/clients.ts';
import { compatibilityPage, lockedVersions } from './compatibility-page.ts';

const root = join(import.meta.dirname, '../..');

test('a client that lacks something has the reason below the table, once', () => {
  const lacks = { retry: 'it gives up' };
  const rows = ['One', 'Two'].map(
    (name) => ({ name, packages: ['p'], path: '/api/chat', lacks, fetched: null }) as const,
  );
  const page = compatibilityPage(rows, [], new Map([['p', '1.2.3']]));
  assert.match(page, /^\| Two \| `p` 1\.2\.3 \| `\/api\/chat` \| ollama, openai, anthropic \| yes \|.* no \(1\) \|/m);
  assert.equal(page.match(/it gives up/g)?.length, 1);
});

test('every client in the table is held to it by a test, and its packages are locked', () => {
  const tests = globSync('test/clients/*.test.ts', { cwd: root }).map((path) => readFileSync(join(root, path), 'utf8'));
  const versions = lockedVersions(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [key, { packages, fetched }] of Object.entries(clients)) {
    assert.ok(
      tests.some((text) => text.includes(`clients.${key},`)),
      `no test holds clients.${key} to the router`,
    );
    if (fetched === null) for (const name of packages) assert.match(versions.get(name) ?? '', /^\d/, name);
  }
});
