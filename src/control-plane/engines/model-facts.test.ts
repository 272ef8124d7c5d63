import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scripted } from '../../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import type { EngineKind } from '../../fleet/glossary.ts';
import { createHttpClient } from '../../http-client/http-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { asker } from './ask.ts';
import { probeNode } from './probe-node.ts';

const json =
  (body: unknown): Scripted =>
  (_request, reply) =>
    reply.json(200, body);

/** Name, in memory, size, quantization and context of each model that such an engine lists. */
async function factsOf(engine: EngineKind, paths: Readonly<Record<string, Scripted>>): Promise<unknown[]> {
  await using node = await scriptedNode({ paths });
  const client = createHttpClient({ maxIdlePerNode: 4, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, systemClock);
  const target = { pool: 'n', origin: node.url, tls: null, connectMs: 1000 };
  const result = await probeNode(asker(client, { target, basePath: '', headers: [] }, 2000), engine, false);
  client.close();
  assert.equal(result.kind, 'answered', JSON.stringify(result));
  const models = result.kind === 'answered' ? (result.models ?? []) : [];
  return models.map(({ name, isLoaded = null, sizeBytes, quantization = null, contextTokens }) => {
    return [name, isLoaded, sizeBytes, quantization, contextTokens];
  });
}

test('an Ollama tells what is on its disk, what is in its memory, and the context that runs there', async () => {
  const details = { quantization_level: 'Q4_K_M', context_length: 131_072 };
  const paths = {
    '/api/version': json({ version: '0.12.3' }),
    '/api/tags': json({
      models: [
        { name: 'llama3.2:3b', size: 2000, digest: 'd1', details },
        { name: 'qwen3:8b', size: 5000, digest: 'd2', details: { quantization_level: 'Q8_0' } },
      ],
    }),
    '/api/ps': json({ models: [{ name: 'llama3.2:3b', context_length: 8192 }] }),
  };
  assert.deepEqual(await factsOf('ollama', paths), [
    ['llama3.2:3b', true, 2000, 'Q4_K_M', 8192],
    ['qwen3:8b', false, 5000, 'Q8_0', null],
  ]);
  const silent = { ...paths, '/api/ps': json({ error: 'busy' }) };
  assert.deepEqual((await factsOf('ollama', silent))[0], ['llama3.2:3b', null, 2000, 'Q4_K_M', 131_072]);
});

test('an LM Studio tells which are loaded, and the context they were loaded with', async () => {
  const paths = {
    '/api/v0/models': json({
      data: [
        { id: 'a', state: 'loaded', quantization: 'Q6_K', loaded_context_length: 4096, max_context_length: 9999 },
        { id: 'b', state: 'not-loaded', max_context_length: 9999 },
      ],
    }),
  };
  assert.deepEqual(await factsOf('lmstudio', paths), [
    ['a', true, null, 'Q6_K', 4096],
    ['b', false, null, null, 9999],
  ]);
});

test('a llama.cpp tells the context it runs with, and the quantization by its file; its router mode what is loaded', async () => {
  const props = { default_generation_settings: { n_ctx: 4096 }, model_path: '/models/Tiny-1B-Q4_K_M.gguf' };
  const paths = {
    '/health': json({ status: 'ok' }),
    '/props': json(props),
    '/v1/models': json({ data: [{ id: 'tiny', meta: { n_ctx_train: 131_072, size: 700 } }] }),
  };
  assert.deepEqual(await factsOf('llamacpp', paths), [['tiny', true, 700, 'Q4_K_M', 4096]]);
  const router = {
    ...paths,
    '/v1/models': json({
      data: [
        { id: 'a', status: { value: 'loaded' } },
        { id: 'b', status: { value: 'unloaded' } },
      ],
    }),
  };
  assert.deepEqual(await factsOf('llamacpp', router), [
    ['a', true, null, null, null],
    ['b', false, null, null, null],
  ]);
});

test('a vLLM has in memory what it lists, with the context it was started with', async () => {
  const paths = { '/v1/models': json({ data: [{ id: 'm', owned_by: 'vllm', max_model_len: 32_768 }] }) };
  assert.deepEqual(await factsOf('vllm', paths), [['m', true, null, null, 32_768]]);
});
