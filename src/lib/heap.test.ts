import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Heap } from './heap.ts';

test('values come out in the order of their keys, whatever is pushed and popped in between', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant('pop' as const))), (steps) => {
      const heap = new Heap<number>();
      const mirror: number[] = [];
      for (const step of steps) {
        if (step === 'pop') {
          mirror.sort((a, b) => a - b);
          assert.equal(heap.peekKey(), mirror[0]);
          assert.equal(heap.pop(), mirror.shift());
        } else {
          heap.push(step, step);
          mirror.push(step);
        }
        assert.equal(heap.size, mirror.length);
      }
    }),
  );
});
