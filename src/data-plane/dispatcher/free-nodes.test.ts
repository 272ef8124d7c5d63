import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreeNodes } from './free-nodes.ts';

test('nodes without a free slot are asked once, and again when they have changed', () => {
  const slots = [0, 0, 1, 0];
  const asked: number[] = [];
  const nodes = new FreeNodes((node) => {
    asked.push(node);
    return (slots[node] ?? 0) > 0;
  });
  nodes.allChanged(4);
  assert.equal(nodes.few(3), null, 'it may be four');
  assert.deepEqual(nodes.few(4), [2]);
  assert.deepEqual(asked.splice(0), [0, 1, 2, 3]);
  assert.equal(nodes.isAny, true);
  assert.deepEqual(asked.splice(0), [2]);
  slots[2] = 0;
  assert.equal(nodes.isAny, false);
  assert.deepEqual(nodes.few(0), []);
  assert.deepEqual(asked.splice(0), [2]);
  slots[1] = 1;
  nodes.changed(1);
  assert.deepEqual(nodes.few(1), [1]);
});
