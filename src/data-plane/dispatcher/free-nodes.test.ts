import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreeNodes } from './free-nodes.ts';

test('nodes are free or full as they were when they last changed', () => {
  const slots = [0, 0, 1, 2];
  const nodes = new FreeNodes((node) => (slots[node] ?? 0) > 0);
  assert.equal(nodes.isAny, false);
  nodes.allChanged(4);
  assert.equal(nodes.few(1), null);
  assert.deepEqual([...(nodes.few(2) ?? [])], [2, 3]);
  slots[2] = 0;
  nodes.changed(2);
  assert.deepEqual([...(nodes.few(1) ?? [])], [3]);
  slots[1] = 1;
  nodes.allChanged(2);
  assert.deepEqual([...(nodes.few(1) ?? [])], [1], 'the others are gone');
  slots[1] = 0;
  nodes.changed(1);
  assert.equal(nodes.isAny, false);
  assert.equal(nodes.few(0)?.size, 0);
});
