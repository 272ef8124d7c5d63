import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrubber } from './scrub.ts';

test('what this router was given as a secret is gone wherever it stands, a short one is left', () => {
  const scrub = scrubber(() => ['hunter2-of-gpu-1', 'abc']);
  assert.equal(scrub('abc said xhunter2-of-gpu-1x twice: hunter2-of-gpu-1'), 'abc said x***x twice: ***');
});

test('what looks like a secret is gone, and the line can still be read', () => {
  const scrub = scrubber(() => []);
  const cases = [
    ['Authorization: Bearer abcdefgh.ijkl', 'Authorization: Bearer ***'],
    ['GET http://me:pass@10.0.0.1:80/x', 'GET http://***@10.0.0.1:80/x'],
    ['key sk-proj-abcdefghijklmnop used', 'key *** used'],
    ['HF hf_abcdefghijklmnopqrst', 'HF ***'],
    ['{"api_key":"0123456789abcdef","n":1}', '{"api_key":"***","n":1}'],
    ['--hf-token=0123456789 --port 1', '--hf-token=*** --port 1'],
    ['OPENAI_API_KEY: 0123456789abcdef', 'OPENAI_API_KEY: ***'],
    ['t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', 't=***'],
  ] as const;
  for (const [line, expected] of cases) assert.equal(scrub(line), expected);
});

test('figures about tokens, ids of requests and paths are no secrets', () => {
  const scrub = scrubber(() => []);
  const lines = [
    '{"promptTokens":123456789,"completionTokens":null,"id":"019a0000-0000-7000-8000-000000000000"}',
    'n_tokens = 123456789, token = 42, /v1/chat/completions at 10.0.0.1:8000',
    'sha256:0123456789abcdef0123456789abcdef risk-free task-list_of_things',
  ];
  for (const line of lines) assert.equal(scrub(line), line);
});
