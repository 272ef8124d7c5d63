import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessHeaders, enginePath } from './engine-requests.ts';

test('a key goes out as its engine wants it, and Anthropic is told a version where no header does', () => {
  assert.deepEqual(accessHeaders('openai', 'k', {}), ['authorization', 'Bearer k']);
  assert.deepEqual(accessHeaders('google', 'k', {}), ['authorization', 'Bearer k']);
  assert.deepEqual(accessHeaders('ollama', null, {}), []);
  assert.deepEqual(accessHeaders('anthropic', 'k', {}), ['x-api-key', 'k', 'anthropic-version', '2023-06-01']);
  assert.deepEqual(accessHeaders('anthropic', 'k', { 'anthropic-version': '2030-01-01' }), ['x-api-key', 'k']);
  assert.deepEqual(accessHeaders('anthropic', null, {}), ['anthropic-version', '2023-06-01']);
});

test("Google's paths have no /v1", () => {
  assert.equal(enginePath('google', '/v1/chat/completions'), '/chat/completions');
  assert.equal(enginePath('google', '/v10/x'), '/v10/x');
  assert.equal(enginePath('openai', '/v1/chat/completions'), '/v1/chat/completions');
});
