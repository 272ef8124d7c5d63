import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

// The rules that keep sockets in src/http-client/ and the environment in src/config/ are lint configuration. A typo there
// would switch them off silently, so violations are planted and must be reported.

const root = join(import.meta.dirname, '../..');

function lint(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-lint-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['.oxlintrc.json', 'tsconfig.json']) cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const linter = join(root, 'node_modules/oxlint/bin/oxlint');
  const run = spawnSync(process.execPath, [linter, '--deny-warnings', '-f', 'unix', 'src'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return run.stdout + run.stderr;
}

const talksToNodes = [
  "import { request } from 'node:http';",
  "import * as https from 'node:https';",
  "import { Client } from 'undici';",
  "import Part from 'undici/lib/dispatcher/client.js';",
  'export const all = [request, https.request, Client, Part, fetch];',
  '',
].join('\n');

const readsEnvironment = [
  "import { env } from 'node:process';",
  "export const all = [env, process.env['HOME']];",
  '',
].join('\n');

test('only src/http-client/ and tests may open connections', (t) => {
  const found = lint(t, {
    'src/data-plane/attempt/a.ts': talksToNodes,
    'src/http-client/b.ts': talksToNodes,
    'src/data-plane/c.test.ts': talksToNodes,
  });
  for (const line of [1, 2, 3, 4, 5]) assert.match(found, new RegExp(`^src/data-plane/attempt/a\\.ts:${line}:`, 'm'));
  assert.doesNotMatch(found, /^src\/http-client/m);
  assert.doesNotMatch(found, /c\.test\.ts/);
});

test('only src/config/ and tests may read the environment', (t) => {
  const found = lint(t, {
    'src/cli/a.ts': readsEnvironment,
    'src/config/b.ts': "export const all = process.env['HOME'];\n",
    'src/cli/c.test.ts': readsEnvironment,
  });
  for (const line of [1, 2]) assert.match(found, new RegExp(`^src/cli/a\\.ts:${line}:`, 'm'));
  assert.doesNotMatch(found, /^src\/config/m);
  assert.doesNotMatch(found, /c\.test\.ts/);
});

test('a promise that nobody waits for is an error, except for the ones that node:test returns', (t) => {
  const text = "import { test } from 'node:test';\n\ntest('x', () => {\n  Promise.resolve(1);\n});\n";
  assert.match(lint(t, { 'src/a.test.ts': text }), /^src\/a\.test\.ts:4:3: .*no-floating-promises/m);
});

test('files may not import each other in a circle', (t) => {
  const found = lint(t, {
    'src/a.ts': "import { b } from './b.ts';\n\nexport const a = (): number => b();\n",
    'src/b.ts': "import { a } from './a.ts';\n\nexport const b = (): number => a();\n",
  });
  assert.match(found, /import\(no-cycle\)/);
});
