import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, duration, rate, time } from './figures.ts';
import { type Column, table } from './table.ts';

test('durations, sizes, counts and rates are short and never off by a unit', () => {
  const durations = [0.4, 999.6, 12_345, 99_949, 99_951, 245_000, 3_599_600, 7_800_000, 273_600_000].map(duration);
  assert.deepEqual(durations, ['0ms', '1.0s', '12.3s', '99.9s', '1m40s', '4m05s', '1h00m', '2h10m', '3d04h']);
  assert.deepEqual([0, 512, 1536, 200 * 1024, 5.5 * 1024 ** 3].map(bytes), [
    '0 B',
    '512 B',
    '1.5 KB',
    '200 KB',
    '5.5 GB',
  ]);
  assert.deepEqual([950, 9999, 12_345, 999_949, 4_500_000].map(count), ['950', '9999', '12.3k', '999.9k', '4.5M']);
  assert.deepEqual([0, 0.25, 9.94, 9.96, 1234].map(rate), ['0', '0.3', '9.9', '10', '1234']);
  assert.equal(time(Date.UTC(2027, 0, 31, 18, 4, 5)), '2027-01-31 18:04:05');
});

test('a table is as wide as its cells, numbers stand at the right, and nothing breaks out of its line', () => {
  const columns: readonly Column<{ readonly name: string; readonly n: number | null }>[] = [
    { title: 'NAME', of: ({ name }) => name },
    { title: 'N', of: ({ n }) => n, isNumber: true },
  ];
  const rows = [
    { name: 'a\nb\u001b[2J\u202e', n: 1 },
    { name: 'longer name', n: null },
  ];
  assert.equal(table(rows, columns, 'none'), 'NAME         N\na b [2J      1\nlonger name  -\n');
  assert.equal(table([], columns, 'none'), 'none\n');
});
