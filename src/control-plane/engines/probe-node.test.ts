import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode, type ScriptedNode } from '../../../test/support/scripted-node.ts';
import { frozen, type Scripted } from '../../../test/support/scripted-answers.ts';
import type { EngineKind } from '../../fleet/glossary.ts';
import { createHttpClient } from '../../http-client/http-client.ts';
import { type Clock, ManualClock, systemClock } from '../../lib/clock.ts';
import { type Former, listingOf, type ProbeAnswer, type ProbeResult } from '../probe.ts';
import { asker } from './ask.ts';
import { probeNode } from './probe-node.ts';

const json =
  (body: unknown, status = 200): Scripted =>
  (_request, reply) =>
    reply.json(status, body);

const text =
  (body: string, status = 200, type = 'text/plain'): Scripted =>
  (_request, reply) =>
    void reply.response.writeHead(status, { 'content-type': type }).end(body);

const list = (owner: string, entry: object): Scripted =>
  json({ object: 'list', data: [{ object: 'model', created: 1, owned_by: owner, ...entry }] });

const reset: Scripted = (_request, reply) => reply.reset();

const unknownPath = json({ error: 'not found' }, 404);

interface ProbeOptions {
  readonly engine?: EngineKind | null;
  readonly listIsOptional?: boolean;
  readonly timeoutMs?: number;
  readonly basePath?: string;
  readonly headers?: readonly string[];
  readonly former?: Former;
  readonly clock?: Clock;
}

async function probe(node: ScriptedNode, options: ProbeOptions = {}): Promise<ProbeResult> {
  const { engine = null, listIsOptional = false, timeoutMs = 2000, basePath = '', headers = [] } = options;
  const { former = null, clock = systemClock } = options;
  const httpClient = createHttpClient({ maxIdlePerNode: 4, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, clock);
  const target = { pool: 'n', origin: node.url, tls: null, connectMs: 1000 };
  try {
    return await probeNode(asker(httpClient, { target, basePath, headers }, timeoutMs), engine, listIsOptional, former);
  } finally {
    httpClient.close();
  }
}

function answered(result: ProbeResult): ProbeAnswer {
  assert.equal(result.kind, 'answered', JSON.stringify(result));
  if (result.kind !== 'answered') throw new Error('unreachable');
  return result;
}

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

const llamaPaths = {
  '/v1/models': list('llamacpp', { id: '/models/tiny.gguf', meta: { n_ctx_train: 2048, size: 1000 } }),
  '/health': json({ status: 'ok' }),
  '/props': json({ default_generation_settings: {}, total_slots: 4, build_info: 'b6700' }),
  '/slots': json([
    { is_processing: true },
    { is_processing: false },
    { is_processing: true },
    { is_processing: false },
  ]),
};

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

const vllmMetrics = (cache: string): string =>
  `# HELP vllm:num_requests_running x\nvllm:num_requests_running{engine="0",model_name="m"} 3.0\n` +
  `vllm:num_requests_running{engine="1",model_name="m"} 2.0\nvllm:num_requests_waiting{model_name="m"} 4.0\n${cache}{model_name="m"} 0.25\n`;

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

test('any other server with a model list is an OpenAI-compatible one, also where it hangs up on unknown paths', async () => {
  await using plain = await scriptedNode({ models: ['m'] });
  assert.deepEqual([answered(await probe(plain)).engine], ['openai']);
  const paths = ['/api/version', '/props', '/version', '/get_model_info', '/server_info', '/api/v0/models'];
  await using rude = await scriptedNode({ paths: Object.fromEntries(paths.map((path) => [path, reset])) });
  assert.equal(answered(await probe(rude)).engine, 'openai');
});

test('an imitation of several engines by another router is none of them', async () => {
  await using node = await scriptedNode({
    paths: {
      '/v1/models': list('weir', { id: 'm' }),
      '/api/version': json({ version: '0.12.3' }),
      '/api/tags': json({ models: [] }),
    },
  });
  const result = answered(await probe(node));
  assert.deepEqual([result.engine, result.version], ['openai', 'weir']);
});

test('a base path, a key and headers go with every question', async () => {
  await using node = await scriptedNode({ paths: { '/deep/v1/models': list('vllm', { id: 'm' }) } });
  answered(await probe(node, { basePath: '/deep', headers: ['authorization', 'Bearer k', 'x-team', 'a'] }));
  assert.ok(node.requests.length >= 3);
  for (const { path, headers } of node.requests) {
    assert.match(path, /^\/deep\//);
    assert.deepEqual([headers.authorization, headers['x-team']], ['Bearer k', 'a']);
  }
});

test('nonsense is told apart from silence and from a wrong key, with a sentence for the administrator', async () => {
  await using page = await scriptedNode({
    paths: { '/v1/models': text('<!DOCTYPE html><html>hi</html>', 200, 'text/html') },
  });
  const nonsense = await probe(page);
  assert.equal(nonsense.kind, 'nonsense');
  assert.match(nonsense.kind === 'nonsense' ? nonsense.detail : '', /\/v1\/models answered with a web page.*url/);
  await using broken = await scriptedNode({
    paths: { '/v1/models': (_request, reply) => reply.raw('\0 this is no HTTP') },
  });
  assert.equal((await probe(broken)).kind, 'nonsense');
  await using wrong = await scriptedNode({ paths: { '/v1/models': json({}, 403) } });
  assert.equal((await probe(wrong)).kind, 'unauthorized');
  await using failing = await scriptedNode({ paths: { '/v1/models': json({}, 500) } });
  assert.equal((await probe(failing)).kind, 'nonsense');
  await failing.close();
  const gone = await probe(failing);
  assert.equal(gone.kind, 'unreachable');
  assert.match(gone.kind === 'unreachable' ? gone.detail : '', /ECONNREFUSED/);
});

test('a node that answers nothing costs one probe time-out', async () => {
  await using node = await scriptedNode({ paths: { '/v1/models': frozen } });
  const result = await probe(node, { timeoutMs: 50 });
  assert.equal(result.kind, 'unreachable');
  assert.match(result.kind === 'unreachable' ? result.detail : '', /within 50 ms/);
});

test('an endless answer is cut off', async () => {
  const endless = text(`{"data":[{"id":"${'x'.repeat(5 * 1024 * 1024)}"}]}`);
  await using node = await scriptedNode({ paths: { '/v1/models': endless } });
  assert.equal((await probe(node)).kind, 'nonsense');
});

test('a server without a list is fine where the operator named its models', async () => {
  await using node = await scriptedNode({ paths: { '/v1/models': unknownPath } });
  assert.equal((await probe(node)).kind, 'nonsense');
  const result = answered(await probe(node, { listIsOptional: true }));
  assert.deepEqual([result.engine, result.models], ['openai', null]);
});

test('a slow engine is recognised: each question has its own time, and none is put twice', async () => {
  const clock = new ManualClock();
  const slow =
    (answer: Scripted): Scripted =>
    (request, reply) => {
      clock.advance(1600);
      return answer(request, reply);
    };
  await using plain = await scriptedNode({ paths: { '/v1/models': slow(list('someone', { id: 'm' })) } });
  assert.equal(answered(await probe(plain, { timeoutMs: 3000, clock })).engine, 'openai');
  assert.equal(plain.count('/v1/models'), 1);
  await using silent = await scriptedNode({
    paths: { ...llamaPaths, '/v1/models': list('someone', { id: 'm' }), '/get_model_info': frozen, '/version': frozen },
  });
  const result = answered(await probe(silent));
  assert.deepEqual([result.engine, result.slots], ['llamacpp', 4]);
  for (const path of ['/v1/models', '/props']) assert.equal(silent.count(path), 1, path);
});

function formerly(engine: EngineKind, { models }: ProbeAnswer, isDoubted = false): Former {
  return { engine, listing: listingOf(models), isDoubted };
}

const ollamaPaths = {
  '/v1/models': list('library', { id: 'm' }),
  '/api/version': json({ version: '0.12.3' }),
  '/api/tags': json({ models: [{ name: 'm' }] }),
  '/api/ps': json({ models: [] }),
};

test('another engine at the same address is recognised by its list, or by not answering as the former', async () => {
  await using plain = await scriptedNode({ models: ['m'] });
  await using ollama = await scriptedNode({ paths: ollamaPaths });
  const former = answered(await probe(plain));
  assert.equal(answered(await probe(ollama, { former: formerly('openai', former) })).engine, 'ollama');
  const known = formerly('ollama', answered(await probe(ollama)));
  assert.equal(answered(await probe(plain, { former: known })).engine, 'openai');
  assert.equal(plain.count('/v1/models'), 2);
});

test('a known engine whose list stays the same is asked as what it is, and recognised again only on request', async () => {
  await using node = await scriptedNode({ paths: ollamaPaths });
  const former = answered(await probe(node));
  answered(await probe(node, { former: formerly('ollama', former) }));
  assert.deepEqual(
    ['/api/tags', '/v1/models'].map((path) => node.count(path)),
    [2, 1],
  );
  const asked = await probe(node, { former: { ...formerly('openai', former, true), listing: null } });
  assert.equal(answered(asked).engine, 'ollama');
});

test('an engine in trouble, or too busy to be recognised, has not become another one', async () => {
  await using node = await scriptedNode({ paths: { ...ollamaPaths, '/api/tags': json({}, 500) } });
  const former: Former = { engine: 'ollama', listing: '[]', isDoubted: false };
  assert.equal((await probe(node, { former })).kind, 'nonsense');
  await using busy = await scriptedNode({
    paths: { '/v1/models': list('someone', { id: 'new' }), '/version': json({ version: '1' }), '/metrics': frozen },
  });
  const vllm = await probe(busy, { former: { engine: 'vllm', listing: '[]', isDoubted: true }, timeoutMs: 300 });
  assert.equal(answered(vllm).engine, 'vllm');
});

test('Anthropic and Google are asked for their lists under their own paths, and one who has none may be without', async () => {
  const models = list('system', { id: 'claude-x' });
  await using claude = await scriptedNode({ paths: { '/v1/models': models } });
  const asked = await probe(claude, { engine: 'anthropic', headers: ['x-api-key', 'k'] });
  assert.deepEqual([asked.kind, asked.kind === 'answered' && asked.models?.[0]?.name], ['answered', 'claude-x']);
  assert.deepEqual(
    [claude.requests[0]?.path, claude.requests[0]?.headers['x-api-key']],
    ['/v1/models?limit=1000', 'k'],
  );

  await using gemini = await scriptedNode({
    paths: { '/v1beta/openai/models': list('google', { id: 'models/gemini-x' }) },
  });
  const google = { engine: 'google', basePath: '/v1beta/openai' } as const;
  const told = await probe(gemini, google);
  assert.deepEqual([told.kind, told.kind === 'answered' && told.models?.[0]?.name], ['answered', 'models/gemini-x']);

  await using bare = await scriptedNode({ paths: { '/v1/models': unknownPath, '/v1beta/openai/models': unknownPath } });
  for (const options of [{ engine: 'anthropic' } as const, google]) {
    assert.equal((await probe(bare, options)).kind, 'nonsense');
    const answer = await probe(bare, { ...options, listIsOptional: true });
    assert.deepEqual([answer.kind, answer.kind === 'answered' && answer.models], ['answered', null]);
  }
  const wrongKey = json([{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }], 400);
  await using shut = await scriptedNode({ paths: { '/v1beta/openai/models': wrongKey } });
  assert.equal((await probe(shut, google)).kind, 'unauthorized');
  await using closed = await scriptedNode({ paths: { '/v1/models': json({ error: 'no' }, 401) } });
  assert.equal((await probe(closed, { engine: 'anthropic' })).kind, 'unauthorized');
});
