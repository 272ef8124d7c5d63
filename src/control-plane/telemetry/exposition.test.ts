import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposed, exposedHistograms, Histogram } from './exposition.ts';

test('a metric is told with its kind, and its labels in the order given', () => {
  assert.equal(
    exposed('weir_things_total', 'Things.', [
      [3, { kind: 'a', node: 'b' }],
      [0.5, { kind: 'c', node: 'd' }],
    ]),
    '# HELP weir_things_total Things.\n# TYPE weir_things_total counter\n' +
      'weir_things_total{kind="a",node="b"} 3\nweir_things_total{kind="c",node="d"} 0.5\n',
  );
  assert.equal(
    exposed('weir_things', 'Now.', [[0]]),
    '# HELP weir_things Now.\n# TYPE weir_things gauge\nweir_things 0\n',
  );
});

test("a label's backslashes, quotes and line ends are escaped", () => {
  const text = exposed('weir_things', 'Now.', [[1, { node: 'a\\n"b"\nc' }]]);
  assert.ok(text.endsWith('weir_things{node="a\\\\n\\"b\\"\\nc"} 1\n'), text);
});

test('a histogram counts a value in every bucket it is not above', () => {
  const histogram = new Histogram([0.1, 1, 10]);
  for (const value of [0.1, 0.5, 1, 25]) histogram.observe(value);
  assert.equal(
    exposedHistograms('weir_x_seconds', 'X.', [
      [histogram, { model: 'm' }],
      [new Histogram([1]), { model: 'none yet' }],
    ]),
    '# HELP weir_x_seconds X.\n# TYPE weir_x_seconds histogram\n' +
      'weir_x_seconds_bucket{le="0.1",model="m"} 1\n' +
      'weir_x_seconds_bucket{le="1",model="m"} 3\n' +
      'weir_x_seconds_bucket{le="10",model="m"} 3\n' +
      'weir_x_seconds_bucket{le="+Inf",model="m"} 4\n' +
      'weir_x_seconds_sum{model="m"} 26.6\n' +
      'weir_x_seconds_count{model="m"} 4\n',
  );
});
