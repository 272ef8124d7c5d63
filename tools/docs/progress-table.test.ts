import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressTable, withTable } from './progress-table.ts';

const proof = {
  file: 'src/a.ts',
  testFile: 'src/a.test.ts',
  testName: 'a | b',
  mutation: { find: ' x < y; ', replace: '' },
};

test('each proof is a line, and what is not there yet says so', () => {
  const lines = progressTable([
    { task: 'T1', asks: 'this', proofs: [proof, proof], later: 'the rest (issue D)' },
    { task: 'T2', asks: 'that', proofs: [], later: 'issue E' },
  ]).split('\n');
  const cells = String.raw`[src/a.ts](../src/a.ts) | [src/a.test.ts](../src/a.test.ts): a \| b | ${'`x < y;`'} → (removed) |`;
  assert.deepEqual(lines.slice(2), [
    `| T1 | this | ${cells}`,
    `|  |  | ${cells}`,
    '|  |  | not yet: the rest (issue D) |  |  |',
    '| T2 | that | not yet: issue E |  |  |',
  ]);
});

test('the table replaces what lies between the markers and nothing else', () => {
  const page = withTable(
    'above\n<!-- table: made by npm run docs from tools/quality/seed-rows.ts -->\nold\n<!-- end of table -->\nbelow\n',
    'NEW',
  );
  assert.match(page, /^above\n<!-- table: .* -->\n\nNEW\n\n<!-- end of table -->\nbelow\n$/);
  assert.equal(withTable(page, 'NEW'), page);
});

test('a page without the markers is refused', () => {
  assert.throws(() => withTable('no markers', 'NEW'), /needs the lines/);
});
