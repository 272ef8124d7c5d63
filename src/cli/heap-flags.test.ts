import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { heapFlags, restartArguments, type StartedProcess } from './heap-flags.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weir-heap-flags-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const program = join(folder, 'main.js');
writeFileSync(program, '');

function startedAs(changes: Partial<StartedProcess> = {}): readonly string[] | null {
  const started = {
    execArgv: [],
    argv: ['/n', program, 'serve', '-n', 'x y'],
    nodeOptions: undefined,
    hasChannel: false,
  };
  return restartArguments({ ...started, ...changes }, program);
}

test('a router is started anew with the flags before all that it was started with', () => {
  assert.deepEqual(startedAs({ execArgv: ['--import', './a.mjs'] }), [
    '/n',
    ...heapFlags,
    '--import',
    './a.mjs',
    program,
    'serve',
    '-n',
    'x y',
  ]);
});

test('once is enough', () => {
  assert.equal(startedAs({ execArgv: heapFlags }), null);
});

test('a size that was chosen by whoever started the router is left alone', () => {
  assert.equal(startedAs({ execArgv: ['--max_semi_space_size=64'] }), null);
  assert.equal(startedAs({ nodeOptions: '--no-warnings --max-semi-space-size=64' }), null);
});

test('what is no router, or has a debugger or a parent connected, runs as it is', () => {
  assert.equal(startedAs({ argv: ['/n', program, 'config', 'check'] }), null);
  assert.equal(startedAs({ argv: ['/n', program] }), null);
  assert.equal(startedAs({ execArgv: ['--inspect=0'] }), null);
  assert.equal(startedAs({ nodeOptions: '--inspect-brk' }), null);
  assert.equal(startedAs({ hasChannel: true }), null);
});

test('the command of an installed package is a link to the program; another program is not replaced', () => {
  const link = join(folder, 'weir');
  symlinkSync(program, link);
  assert.equal(startedAs({ argv: ['/n', link, 'serve'] })?.at(-2), link);
  const other = join(folder, 'other.js');
  writeFileSync(other, '');
  assert.equal(startedAs({ argv: ['/n', other, 'serve'] }), null);
});
