import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkProofs, judge, mutate } from './mutations.ts';
import type { Proof } from './seed-row.ts';

const code = 'export function double(x: number): number {\n  return x + x;\n}\n';
const tests = [
  "import assert from 'node:assert/strict';",
  "import { test } from 'node:test';",
  "import { double } from './double.ts';",
  "test('doubles (2 is 4)', () => assert.equal(double(2), 4));",
  "test('guards nothing', () => assert.ok(double(2)));",
  "test('never true', () => assert.equal(double(2), 5));",
  "test('skipped', { skip: true }, () => undefined);",
  '',
].join('\n');

function checkout(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'weir-proofs-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['src', 'node_modules']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'src/double.ts'), code);
  writeFileSync(join(root, 'src/double.test.ts'), tests);
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  return root;
}

function proof(testName: string, find = 'x + x', replace = 'x + 1'): Proof {
  return { file: 'src/double.ts', testFile: 'src/double.test.ts', testName, mutation: { find, replace } };
}

test('a proof holds when its test passes, and fails with the mutation', async (t) => {
  assert.deepEqual(await checkProofs(checkout(t), [proof('doubles (2 is 4)'), proof('doubles (2 is 4)')], 2), []);
});

test('a test that passes with the mutation is reported', async (t) => {
  const [problem = ''] = await checkProofs(checkout(t), [proof('guards nothing')], 1);
  assert.match(problem, /^src\/double\.ts \("x \+ x"\), src\/double\.test\.ts: the test passes with the mutation/);
});

test('a test that fails without the mutation, is skipped, or does not exist is reported', async (t) => {
  const names = ['never true', 'skipped', 'of another name'];
  const problems = await checkProofs(
    checkout(t),
    names.map((name) => proof(name)),
    1,
  );
  assert.match(problems[0] ?? '', /fails without the mutation/);
  assert.match(problems[1] ?? '', /no test named "skipped" ran/);
  assert.match(problems[2] ?? '', /no test named "of another name" ran/);
});

test('a mutation that keeps the file from loading proves nothing', async (t) => {
  const [problem = ''] = await checkProofs(checkout(t), [proof('doubles (2 is 4)', 'return x', 'return return x')], 1);
  assert.match(problem, /does not run to its end/);
});

test('a file that is not there is reported', async (t) => {
  const [problem = ''] = await checkProofs(checkout(t), [{ ...proof('doubles (2 is 4)'), file: 'src/gone.ts' }], 1);
  assert.match(problem, /src\/gone\.ts does not exist/);
});

test('the checkout itself is left alone, and the copies are removed', async (t) => {
  const root = checkout(t);
  await checkProofs(root, [proof('doubles (2 is 4)')], 1);
  assert.deepEqual(readdirSync(join(root, 'src')).toSorted(), ['double.test.ts', 'double.ts']);
  const copies = readdirSync(tmpdir()).filter((name) => name.startsWith(`weir-mutations-${process.pid}-`));
  assert.deepEqual(copies, []);
});

test('a mutation must change one line that occurs exactly once', () => {
  assert.deepEqual(mutate('a b', { find: 'b', replace: '$&' }), { text: 'a $&' });
  for (const [find, why] of [
    ['c', /occurs 0 times/],
    ['a', /occurs 2 times/],
    ['', /changes nothing/],
    ['x', /changes nothing/],
    ['b\na', /longer than one line/],
  ] as const) {
    const result = mutate('a b\na', { find, replace: 'x' });
    assert.match('problem' in result ? result.problem : '', why);
  }
});

test('two tests of one name are reported, since either could be meant', () => {
  const passed = { passed: true, name: 'one', failure: null };
  assert.match(judge('one', [passed, passed], []) ?? '', /2 tests are named/);
});
