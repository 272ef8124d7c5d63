import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUntestedCodes } from './error-coverage.ts';

function untested(text: string): string[] {
  return findUntestedCodes(['draining'], [{ path: 'src/a.test.ts', text }]);
}

test('a code that no test expects is reported', () => {
  assert.deepEqual(untested(''), ['draining']);
  assert.deepEqual(untested("const error = clientError('draining', {});\nassert.ok(error);"), ['draining']);
  assert.deepEqual(untested("assert.equal(code, 'draining_node');"), ['draining']);
});

test('a code counts as tested inside an assertion, over several lines and in either quotes', () => {
  assert.deepEqual(untested("assert.equal(answer.code, 'draining');"), []);
  assert.deepEqual(untested("assert.deepEqual(await f(), {\n  code: 'draining',\n});"), []);
  assert.deepEqual(untested('assert.match(text, /"draining"/);'), []);
  assert.deepEqual(untested("assertRefused(answer, 503, 'draining');"), []);
});

test('a code counts as tested in a table of cases, in a file that asserts', () => {
  assert.deepEqual(untested("const cases = [\n  [503, 'draining'],\n];\nassert.ok(cases);"), []);
  assert.deepEqual(untested("const cases = [\n  [503, 'draining'],\n];"), ['draining']);
});
