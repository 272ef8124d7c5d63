import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { answered, json, list, llamaPaths, probe, text } from '../../../test/support/probe.ts';

const unknownPath = json({ error: 'not found' }, 404);

const vllmMetrics = (cache: string): string =>
  `# HELP vllm:num_requests_running x\nvllm:num_requests_running{engine="0",model_name="m"} 3.0\n` +
  `vllm:num_requests_running{engine="1",model_name="m"} 2.0\nvllm:num_requests_waiting{model_name="m"} 4.0\n${cache}{model_name="m"} 0.25\n`;

test('an Ollama is known by its version and list, and its models are ready on demand', async () => {
  await using node = await scriptedNode({
    paths: {
      '/v1/models': list('library', { id: 'llama3.2:latest' }),
      '/api/version': json({ version: '0.12.3' }),
      '/api/tags': json({
        models: [
          { name: 'llama3.2:latest', model: 'llama3.2:latest', size: 2_019_393_189, details: { format: 'gguf' } },
          { name: 'qwen3:8b', model: 'qwen3:8b', size: 5_225_388_164 },
        ],
      }),
      '/api/ps': json({ models: [] }),
    },
  });
  const result = answered(await probe(node));
  assert.deepEqual([result.engine, result.state, result.version, result.slots], ['ollama', 'ready', '0.12.3', null]);
  assert.deepEqual(
    result.models?.map(({ name, ready, sizeBytes }) => [name, ready, sizeBytes]),
    [
      ['llama3.2:latest', true, 2_019_393_189],
      ['qwen3:8b', true, 5_225_388_164],
    ],
  );
  assert.deepEqual(result.load, { running: 0, waiting: null, cacheUse: null });
});

test('an Ollama without models is an Ollama, and one with a model in memory does not say whether it works', async () => {
  await using node = await scriptedNode({
    paths: {
      '/v1/models': json({ object: 'list', data: null }),
      '/api/version': json({ version: '0.5.1' }),
      '/api/tags': json({ models: null }),
      '/api/ps': json({ models: [{ name: 'a' }] }),
    },
  });
  const result = answered(await probe(node));
  assert.deepEqual([result.engine, result.models, result.load.running], ['ollama', [], null]);
});

test('a llama.cpp tells its slots and how many work', async () => {
  await using node = await scriptedNode({ paths: llamaPaths });
  const result = answered(await probe(node));
  assert.deepEqual([result.engine, result.state, result.slots, result.version], ['llamacpp', 'ready', 4, 'b6700']);
  assert.deepEqual(result.load, { running: 2, waiting: null, cacheUse: null });
  assert.deepEqual(result.models?.[0], {
    name: '/models/tiny.gguf',
    ready: true,
    slots: null,
    sizeBytes: 1000,
    contextTokens: 2048,
    ownedBy: 'llamacpp',
    isLoaded: true,
  });
});

test('a llama.cpp without /slots is asked for its metrics, and one without either does not say', async () => {
  const metrics =
    '# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing 3\nllamacpp:requests_deferred 7\n';
  await using node = await scriptedNode({
    paths: { ...llamaPaths, '/slots': json({ error: {} }, 501), '/metrics': text(metrics) },
  });
  assert.deepEqual(answered(await probe(node)).load, { running: 3, waiting: 7, cacheUse: null });
  await using silent = await scriptedNode({
    paths: { ...llamaPaths, '/slots': json({}, 501), '/metrics': json({}, 501) },
  });
  assert.deepEqual(answered(await probe(silent)).load, { running: null, waiting: null, cacheUse: null });
});

test('a llama.cpp that loads its model is loading, not failed', async () => {
  const loading = json({ error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 503);
  await using node = await scriptedNode({
    paths: { '/v1/models': loading, '/health': loading, '/props': loading },
  });
  const result = answered(await probe(node));
  assert.deepEqual([result.engine, result.state, result.models], ['llamacpp', 'loading', null]);
});

test("a llama.cpp that refuses our key is known by /props, its list being everybody's", async () => {
  await using node = await scriptedNode({
    paths: { ...llamaPaths, '/props': json({ error: { message: 'Invalid API Key' } }, 401) },
  });
  const result = await probe(node);
  assert.equal(result.kind, 'unauthorized');
});

test('a vLLM is known by its list; its gauges are read under the old and the new name', async () => {
  for (const cache of ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc']) {
    await using node = await scriptedNode({
      paths: {
        '/v1/models': list('vllm', { id: 'meta-llama/Llama-3-8B', max_model_len: 8192 }),
        '/metrics': text(vllmMetrics(cache)),
        '/version': json({ version: '0.11.0' }),
      },
    });
    const result = answered(await probe(node));
    assert.deepEqual([result.engine, result.version], ['vllm', '0.11.0']);
    assert.deepEqual(result.load, { running: 5, waiting: 4, cacheUse: 0.25 });
    assert.equal(result.models?.[0]?.contextTokens, 8192);
  }
});

test('a vLLM that names another owner is known by its version and metrics', async () => {
  await using node = await scriptedNode({
    paths: { '/metrics': text(vllmMetrics('vllm:kv_cache_usage_perc')), '/version': json({ version: '0.11.0' }) },
  });
  assert.equal(answered(await probe(node)).engine, 'vllm');
});

test('an SGLang tells its load with metrics on, and its slots where they were set', async () => {
  const metrics =
    'sglang:num_running_reqs{model_name="m"} 6\nsglang:num_queue_reqs{model_name="m"} 1\nsglang:token_usage{model_name="m"} 0.5\n';
  await using node = await scriptedNode({
    paths: {
      '/v1/models': list('sglang', { id: 'm' }),
      '/metrics': text(metrics),
      '/server_info': unknownPath,
      '/get_server_info': json({ model_path: 'm', max_running_requests: 48, version: '0.5.3' }),
    },
  });
  const result = answered(await probe(node));
  assert.deepEqual([result.engine, result.slots, result.version], ['sglang', 48, '0.5.3']);
  assert.deepEqual(result.load, { running: 6, waiting: 1, cacheUse: 0.5 });
  await using plain = await scriptedNode({ paths: { '/get_model_info': json({ model_path: 'm' }) } });
  const silent = answered(await probe(plain));
  assert.deepEqual([silent.engine, silent.slots], ['sglang', null]);
  assert.deepEqual(silent.load, { running: null, waiting: null, cacheUse: null });
});

test('an LM Studio, which answers 200 to everything, is known by the states of its models', async () => {
  const nothing = json({ error: 'Unexpected endpoint or method. (GET /x)' });
  const paths = ['/api/version', '/props', '/version', '/metrics', '/get_model_info', '/server_info'];
  await using node = await scriptedNode({
    paths: {
      ...Object.fromEntries(paths.map((path) => [path, nothing])),
      '/api/v0/models': json({
        data: [
          { id: 'qwen2.5-7b', type: 'llm', state: 'loaded', max_context_length: 32768, loaded_context_length: 4096 },
          { id: 'nomic-embed', type: 'embeddings', state: 'not-loaded', max_context_length: 2048 },
        ],
      }),
    },
  });
  const result = answered(await probe(node));
  assert.equal(result.engine, 'lmstudio');
  assert.deepEqual(
    result.models?.map(({ name, ready, contextTokens }) => [name, ready, contextTokens]),
    [
      ['qwen2.5-7b', true, 4096],
      ['nomic-embed', true, 2048],
    ],
  );
});
