import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

function check(t: TestContext, message: string): { readonly status: number | null; readonly stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-message-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'message'), message);
  return spawnSync('sh', [join(import.meta.dirname, 'commit-msg'), join(folder, 'message')], { encoding: 'utf8' });
}

const accepted = [
  'feat: count tokens',
  'fix(dispatcher): release the lease once\n\nWith a body. And a full stop.',
  'feat!: rename the header',
  'refactor(data-plane/relay): split frames in one place',
  'Merge branch main',
  'Revert "feat: count tokens"',
];

for (const message of accepted) {
  test(`accepts: ${message.split('\n', 1)[0]}`, (t) => {
    assert.equal(check(t, message).status, 0);
  });
}

const refused = [
  ['count tokens', /no Conventional Commit/],
  ['feature: count tokens', /no Conventional Commit/],
  ['feat:count tokens', /no Conventional Commit/],
  ['feat: count tokens.', /without a full stop/],
  ['\nfeat: count tokens', /no Conventional Commit/],
  [`feat: ${'x'.repeat(100)}`, /has 106 characters/],
] as const;

for (const [message, why] of refused) {
  test(`refuses: ${JSON.stringify(message.slice(0, 40))}`, (t) => {
    const { status, stderr } = check(t, message);
    assert.equal(status, 1);
    assert.match(stderr, why);
  });
}
