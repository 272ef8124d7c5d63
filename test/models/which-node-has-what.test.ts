import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEntry } from '../support/admin-tasks.ts';
import { startTestControlPlane } from '../support/control-plane.ts';
import { frozen, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { scriptedOllama } from '../support/scripted-ollama.ts';
import { testSettings } from '../support/settings.ts';

const health = { intervalMs: 60_000, timeoutMs: 2000 };

const show: Scripted = (request, reply) => {
  const model = String(Object(request.json()).model);
  reply.json(200, { model_info: { 'general.architecture': 'q', 'q.context_length': model === 'q' ? 40_960 : 2048 } });
};

test('each model is listed with the nodes that have it: loaded or on disk, size, quantization, context', async () => {
  await using one = await scriptedOllama({ disk: { q: 5000, e: 300 }, paths: { '/api/show': show } });
  await using two = await scriptedOllama({ disk: { q: 5000 }, paths: { '/api/show': show } });
  one.memory.set('q', -1);
  const list = { data: [{ id: 'big', owned_by: 'vllm', max_model_len: 32_768 }] };
  await using vllm = await scriptedNode({ paths: { '/v1/models': (_request, reply) => reply.json(200, list) } });
  const nodes = [nodeEntry('one', one.url), nodeEntry('two', two.url), nodeEntry('vllm', vllm.url)];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }));
  for (const { name } of nodes) await plane.nodeIs(name, 'ready');
  const read = async (): Promise<unknown[]> =>
    Object((await plane.api('GET', '/api/models')).json).data.flatMap((model: { name: string; nodes: object[] }) =>
      model.nodes.map((place) => {
        const { name, loaded, sizeBytes, quantization, contextTokens } = Object(place);
        return [model.name, name, loaded, sizeBytes, quantization, contextTokens];
      }),
    );
  assert.deepEqual(await read(), [
    ['big', 'vllm', true, null, null, 32_768],
    ['e', 'one', false, 300, 'Q4_K_M', 2048],
    ['q', 'one', true, 5000, 'Q4_K_M', 40_960],
    ['q', 'two', false, 5000, 'Q4_K_M', 40_960],
  ]);
  await read();
  assert.equal(one.node.count('/api/show') + two.node.count('/api/show'), 2, 'each model is asked about once');
});

test('a node lists what it has and does not offer, and what it offers and does not have', async () => {
  await using ollama = await scriptedOllama({ disk: { 'q:4b': 5000, other: 1 }, paths: { '/api/show': frozen } });
  const nodes = [nodeEntry('a', ollama.url, { models: { small: 'q:4b', large: 'q:70b' } })];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }));
  await plane.nodeIs('a', 'ready');
  const { data } = Object((await plane.api('GET', '/api/nodes/a/models')).json);
  const shown = data.map(({ model, upstream, present, contextTokens }: Record<string, unknown>) => {
    return [model, upstream, present, contextTokens];
  });
  assert.deepEqual(shown, [
    ['small', 'q:4b', true, null],
    ['large', 'q:70b', false, null],
    [null, 'other', true, null],
  ]);
});
