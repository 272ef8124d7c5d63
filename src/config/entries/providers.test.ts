import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, problemsOf, settingsFrom } from '../../../test/support/load-config.ts';

test('a provider is a node that is named as its prefix is, with 64 slots at its public address', async (t) => {
  const yaml = 'providers: { openai: { apiKey: "${OPENAI_API_KEY}", models: [gpt-4o, "openai:o3"] } }';
  const { nodes } = await settingsFrom(t, { yaml, env: { OPENAI_API_KEY: 'sk-1' } });
  assert.deepEqual(nodes, [
    {
      name: 'openai',
      url: 'https://api.openai.com',
      engine: 'openai',
      provider: 'openai',
      headers: {},
      maxConcurrent: 64,
      models: { 'openai:gpt-4o': 'gpt-4o', 'openai:o3': 'o3' },
      apiKey: 'sk-1',
    },
  ]);
});

test('every provider may be somewhere else, without a key, with headers and time-outs of its own', async (t) => {
  const yaml = `
providers:
  anthropic: { baseUrl: "https://gateway.internal/anthropic", headers: { X-Team: research }, timeouts: { firstByte: 20s } }
  google: { apiKey: g-1, maxConcurrent: 3 }
`;
  const { nodes } = await settingsFrom(t, { yaml });
  assert.deepEqual(nodes, [
    {
      name: 'anthropic',
      url: 'https://gateway.internal/anthropic',
      engine: 'anthropic',
      provider: 'anthropic',
      headers: { 'x-team': 'research' },
      maxConcurrent: 64,
      models: {},
      timeouts: { firstByteMs: 20_000 },
    },
    {
      name: 'google',
      url: 'https://generativelanguage.googleapis.com/v1beta/openai',
      engine: 'google',
      provider: 'google',
      headers: {},
      maxConcurrent: 3,
      models: {},
      apiKey: 'g-1',
    },
  ]);
});

test('variables of the router make a provider, those of other programs do not', async (t) => {
  const none = await settingsFrom(t, { env: { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' } });
  assert.deepEqual(none.nodes, []);
  const { settings, inForce } = await loadedFrom(t, {
    env: { WEIR_PROVIDERS_OPENAI_API_KEY: 'sk-1', WEIR_PROVIDERS_OPENAI_MODELS: 'gpt-4o,o3' },
  });
  assert.deepEqual(settings.nodes[0]?.models, { 'openai:gpt-4o': 'gpt-4o', 'openai:o3': 'o3' });
  const shown = inForce.find(({ path }) => path === 'providers.openai.apiKey');
  assert.deepEqual(shown, {
    path: 'providers.openai.apiKey',
    shown: '***',
    origin: 'env:WEIR_PROVIDERS_OPENAI_API_KEY',
  });
});

test('what is wrong with a provider is told with what to write, and a key is never repeated', async (t) => {
  const yaml = `
providers:
  openai: { apikey: x }
  antropic: { apiKey: x }
  google: { apiKey: "two words", maxConcurrent: 0, headers: { Host: x } }
nodes:
  - { name: openai, url: "http://10.0.0.5:8000" }
`;
  assert.deepEqual(await problemsOf(t, { yaml }), [
    'providers.openai.apikey (weir.yaml:3): unknown; did you mean apiKey?',
    'providers.openai (weir.yaml:3): has no apiKey; write one, such as apiKey: "${OPENAI_API_KEY}"',
    'providers.openai (weir.yaml:3): the name "openai" is taken by another node (weir.yaml:7); give this one another',
    'providers.antropic (weir.yaml:4): unknown; did you mean anthropic?',
    'providers.google.apiKey (weir.yaml:5): has spaces or characters beyond ASCII; write one word of letters, digits and signs',
    'providers.google.maxConcurrent (weir.yaml:5): 0 is too small; write at least 1',
    'providers.google.headers.Host (weir.yaml:5): the router sets this header itself; remove it',
  ]);
  assert.deepEqual(await problemsOf(t, { yaml: 'providers: [openai]' }), [
    'providers (weir.yaml:1): must be a section; write it as { openai: { apiKey: "${OPENAI_API_KEY}" } }',
  ]);
  assert.deepEqual(await problemsOf(t, { yaml: 'providers: { openai: { apiKey: "${OPENAI_API_KEY}" } }' }), [
    'providers.openai.apiKey (weir.yaml:1): the environment has no OPENAI_API_KEY; set it, or write the value itself',
  ]);
});
