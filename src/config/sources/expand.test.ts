import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand } from './expand.ts';

const env = { KEY: 'secret', EMPTY: '', NESTED: '${KEY}' };

test('variables are replaced inside a text, and only once', () => {
  assert.deepEqual(expand('a-${KEY}-${EMPTY}-b', env), { ok: true, value: 'a-secret--b' });
  assert.deepEqual(expand('${NESTED}', env), { ok: true, value: '${KEY}' });
  assert.deepEqual(expand('costs $5', env), { ok: true, value: 'costs $5' });
});

test('a doubled dollar writes the braces themselves', () => {
  assert.deepEqual(expand('$${KEY}', env), { ok: true, value: '${KEY}' });
});

test('an unset variable is named', () => {
  const reading = expand('${KEY}${GPU1_KEY}', env);
  assert.ok(!reading.ok);
  assert.equal(reading.problem, 'the environment has no GPU1_KEY; set it, or write the value itself');
});

test('a broken reference is refused', () => {
  for (const text of ['${', '${KEY', '${}', '${KEY:-x}', '${1}']) assert.equal(expand(text, env).ok, false, text);
});
