import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom } from '../../test/support/load-config.ts';

test('names of models that go elsewhere than they seem to earn a warning', async (t) => {
  const yaml = `
providers: { openai: { apiKey: x } }
nodes:
  - { name: own, url: "http://10.0.0.5:8000", models: ["openai:gpt-4o", "google:gemma", fast] }
aliases:
  fast: ["openai:gpt-4o", "anthropic:claude", qwen3]
`;
  const { warnings } = await loadedFrom(t, { yaml });
  assert.deepEqual(warnings, [
    'the node "own" does not offer openai:gpt-4o: names that begin with openai: go to that provider',
    'the alias "fast" names anthropic:claude, and providers.anthropic is not set',
    'the alias "fast" hides the model of that name on the node "own"',
  ]);
});
