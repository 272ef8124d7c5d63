import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { phases, type Step } from './steps.ts';

const steps: readonly Step[] = phases.flat(2);

function argsOf(name: string): readonly string[] {
  return steps.find((step) => step.name === name)?.args ?? [];
}

test('one command runs every check', () => {
  assert.deepEqual(steps.map(({ name }) => name).toSorted(), [
    'dead code',
    'documents',
    'format',
    'house rules',
    'lint',
    'seed rows',
    'tests',
    'types',
  ]);
});

test('formatting is checked, not repaired, and a lint warning is an error', () => {
  assert.ok(argsOf('format').includes('--check'));
  assert.ok(argsOf('lint').includes('--deny-warnings'));
});

test('the tests that quality runs are those of npm test', () => {
  assert.deepEqual(argsOf('tests'), ['--run', 'test']);
  const scripts: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  assert.match(JSON.stringify(scripts), /"test":"node [^,]*--test [^,]*src\/\*\*\/\*\.test\.ts/);
});

test('documents made from code are compared, not written', () => {
  assert.ok(argsOf('documents').includes('--check'));
});
