import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './until.ts';

test('until returns the first value that is there', async () => {
  const looks: (string | null)[] = [null, null, 'here', 'later'];
  assert.equal(await until(() => looks.shift(), { what: 'a value' }), 'here');
});

test('until waits through false and accepts 0 as a value', async () => {
  let looks = 0;
  assert.equal(await until(() => (++looks < 3 ? false : 0), { what: 'zero' }), 0);
  assert.equal(looks, 3);
});

test('until gives up with a message that names what was missing and its present state', async () => {
  let looks = 0;
  await assert.rejects(
    until(() => ++looks < 0, { what: () => `fewer than no looks (there were ${looks})`, withinMs: 20 }),
    /gave up waiting for fewer than no looks \(there were \d+\) after 20 ms/,
  );
});

test("until passes on the predicate's own error at once", async () => {
  let looks = 0;
  const broken = (): boolean => {
    looks += 1;
    throw new Error('broken predicate');
  };
  await assert.rejects(until(broken, { what: 'nothing' }), /broken predicate/);
  assert.equal(looks, 1);
});
