import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEntry, refusalOf, taskIs } from '../support/admin-tasks.ts';
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { inTurn, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { scriptedOllama } from '../support/scripted-ollama.ts';
import { testSettings } from '../support/settings.ts';
import type { Task } from '../../src/control-plane/task.ts';

const health = { intervalMs: 60_000, timeoutMs: 2000 };

const json =
  (body: object, status = 200): Scripted =>
  (_request, reply) =>
    reply.json(status, body);

async function done(plane: TestControlPlane, what: 'pull' | 'load' | 'unload', body: object): Promise<Task> {
  const { status, json: begun, text } = await plane.api('POST', `/api/nodes/a/models/${what}`, body);
  assert.equal(status, 202, text);
  return taskIs(plane, Object(begun).id, ({ endedAt }) => endedAt !== null);
}

async function plan(url: string): Promise<TestControlPlane> {
  const plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', url)] }));
  await plane.nodeIs('a', 'ready');
  return plane;
}

test('Ollama loads a model for as long as wanted, or pins it, and unloads it; one that only embeds too', async () => {
  await using ollama = await scriptedOllama({ disk: { 'q:4b': 1, 'x-embed': 1 } });
  await using plane = await plan(ollama.url);
  assert.equal((await done(plane, 'load', { model: 'q:4b' })).state, 'done');
  assert.equal(ollama.memory.get('q:4b'), '5m');
  await done(plane, 'load', { model: 'q:4b', keepAlive: '30m' });
  assert.equal(ollama.memory.get('q:4b'), '30m');
  await done(plane, 'load', { model: 'q:4b', keepAlive: 'pinned' });
  assert.equal(ollama.memory.get('q:4b'), -1);
  assert.equal((await done(plane, 'unload', { model: 'q:4b' })).state, 'done');
  assert.equal(ollama.memory.has('q:4b'), false);
  assert.equal((await done(plane, 'load', { model: 'x-embed', keepAlive: 'pinned' })).state, 'done');
  assert.equal(ollama.memory.get('x-embed'), -1);
});

test("a model is loaded under the engine's own name where an operator gave it another", async () => {
  await using ollama = await scriptedOllama({ disk: { 'llama3.2:3b': 1 } });
  const nodes = [nodeEntry('a', ollama.url, { models: { small: 'llama3.2:3b' } })];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }));
  await plane.nodeIs('a', 'ready');
  await done(plane, 'load', { model: 'small' });
  assert.deepEqual([...ollama.memory.keys()], ['llama3.2:3b']);
});

test('an engine that says no is quoted, and what it does not have is told before', async () => {
  const generate = json({ error: 'model requires more system memory (9 GiB) than is available (4 GiB)' }, 500);
  await using ollama = await scriptedOllama({ disk: { big: 1 }, paths: { '/api/generate': generate } });
  await using plane = await plan(ollama.url);
  const task = await done(plane, 'load', { model: 'big' });
  assert.deepEqual([task.state, task.code, task.attempts], ['failed', 'load_failed', 1]);
  assert.match(task.detail ?? '', /answered 500: model requires more system memory/);
  const refused = await refusalOf(plane, '/api/nodes/a/models/load', { model: 'small' });
  assert.match(refused, /^404 model_not_found: The node a does not have small\. Pull it first\./);
  assert.match(
    await refusalOf(plane, '/api/nodes/a/models/load', { model: 'big', keepAlive: 'long' }),
    /^400 .*pinned/,
  );
});

test('engines that cannot are refused with what to do instead', async () => {
  const list = { data: [{ id: 'm', owned_by: 'vllm' }] };
  await using vllm = await scriptedNode({ paths: { '/v1/models': json(list) } });
  await using plane = await plan(vllm.url);
  const pull = await refusalOf(plane, '/api/nodes/a/models/pull', { model: 'm' });
  assert.match(pull, /^422 not_supported: The engine of a \(vllm\) cannot pull models\. .*start it with another/);
  assert.match(await refusalOf(plane, '/api/nodes/a/models/unload', { model: 'm' }), /^422 not_supported/);
  await plane.api('POST', '/api/nodes', { name: 'away', url: 'http://127.0.0.1:1' });
  const unknown = await refusalOf(plane, '/api/nodes/away/models/pull', { model: 'm' });
  assert.match(unknown, /^409 engine_unknown: .*set its engine/);
});

test('LM Studio downloads as a job that is asked after, loads once, and unloads every instance', async () => {
  const instances: string[] = ['m', 'm:2'];
  const bodies: unknown[] = [];
  const noted =
    (body: object): Scripted =>
    (request, reply) => {
      bodies.push(request.json());
      if (request.path.endsWith('/unload')) instances.length = 0;
      if (request.path.endsWith('/load')) instances.push('m');
      reply.json(200, body);
    };
  const job = { job_id: 'job_1', total_size_bytes: 100 };
  await using studio = await scriptedNode({
    paths: {
      '/api/v0/models': json({ data: [{ id: 'm', state: 'not-loaded' }] }),
      '/api/v1/models': (_request, reply) =>
        reply.json(200, { models: [{ key: 'm', loaded_instances: instances.map((id) => ({ id })) }] }),
      '/api/v1/models/load': noted({ status: 'loaded', instance_id: 'm' }),
      '/api/v1/models/unload': noted({ instance_id: 'm' }),
      '/api/v1/models/download': noted({ ...job, status: 'downloading', downloaded_bytes: 10 }),
      '/api/v1/models/download/status/job_1': inTurn(json({ ...job, status: 'completed', downloaded_bytes: 100 })),
    },
  });
  await using plane = await plan(studio.url);
  await done(plane, 'unload', { model: 'm' });
  assert.deepEqual(bodies, [{ instance_id: 'm' }, { instance_id: 'm:2' }]);
  await done(plane, 'load', { model: 'm', keepAlive: 'pinned' });
  await done(plane, 'load', { model: 'm' });
  assert.deepEqual(bodies.slice(2), [{ model: 'm' }]);
  assert.equal((await done(plane, 'load', { model: 'm', keepAlive: '5m' })).code, 'not_supported');
  const pulled = await done(plane, 'pull', { model: 'ibm/granite-4-micro' });
  assert.deepEqual([pulled.state, pulled.completedBytes, pulled.totalBytes], ['done', 100, 100]);
});

test('llama.cpp loads and unloads in its router mode, and says what to do where it has one model', async () => {
  let value = 'unloaded';
  const models: Scripted = (_request, reply) => {
    reply.json(200, { data: [{ id: 'm', owned_by: 'llamacpp', status: { value } }] });
  };
  const becomes =
    (state: string): Scripted =>
    (_request, reply) => {
      value = state;
      reply.json(200, { success: true });
    };
  const server = { '/health': json({ status: 'ok' }), '/props': json({ default_generation_settings: {} }) };
  await using router = await scriptedNode({
    paths: {
      ...server,
      '/v1/models': models,
      '/models': models,
      '/models/load': becomes('loaded'),
      '/models/unload': becomes('unloaded'),
    },
  });
  {
    await using plane = await plan(router.url);
    assert.equal((await done(plane, 'load', { model: 'm' })).state, 'done');
    assert.equal(value, 'loaded');
    assert.equal((await done(plane, 'unload', { model: 'm' })).state, 'done');
    assert.equal(value, 'unloaded');
  }
  await using single = await scriptedNode({
    paths: { ...server, '/v1/models': json({ data: [{ id: 'm', owned_by: 'llamacpp' }] }) },
  });
  await using plane = await plan(single.url);
  const refused = await done(plane, 'load', { model: 'm' });
  assert.deepEqual([refused.state, refused.code], ['failed', 'not_supported']);
});
