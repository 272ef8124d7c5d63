import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../support/settings.ts';
import { weirCommand } from '../support/weir-command.ts';

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

async function script(shell: string): Promise<string> {
  const { code, stdout } = await weirCommand(['completion', shell]);
  assert.equal(code, 0);
  const file = join(temporaryDirectory(), `weir.${shell}`);
  writeFileSync(file, stdout);
  return file;
}

test('bash is offered commands, options and values, each in its place', { skip: !has('bash') }, async () => {
  const file = await script('bash');
  const offered = (...words: readonly string[]): string[] => {
    const line = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; printf "%s\\n" "${COMPREPLY[@]}"';
    const { stdout, stderr } = spawnSync('bash', ['-c', line, file, 'weir', ...words], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  for (const command of ['serve', 'nodes', 'models', 'keys', 'requests', 'tasks', 'top', 'doctor']) {
    assert.ok(offered('').includes(command), command);
  }
  assert.deepEqual(offered('nodes', 'dr'), ['drain']);
  assert.deepEqual(offered('nodes', 'list', '--adm'), ['--admin']);
  assert.ok(offered('serve', '--queue-max-w').includes('--queue-max-waiters'));
  assert.deepEqual(offered('nodes', 'add', 'http://h', '--engine', 'vl'), ['vllm']);
  assert.deepEqual(offered('requests', 'list', '--outcome', 'ref'), ['refused']);
  assert.ok(!offered('nodes', 'drain', 'nodes', '').includes('list'), "a node's name is no command");
});

for (const [shell, check] of [
  ['zsh', '-n'],
  ['fish', '--no-execute'],
] as const) {
  test(`${shell} understands its script`, { skip: !has(shell) }, async () => {
    const { status, stderr } = spawnSync(shell, [check, await script(shell)], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
}

test('a shell there is no script for is refused with those there are', async () => {
  const { code, stderr } = await weirCommand(['completion', 'tcsh']);
  assert.equal(code, 2);
  assert.match(stderr, /bash, zsh, fish/);
});
