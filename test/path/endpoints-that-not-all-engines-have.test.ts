import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';

function ask(router: TestDataPlane, path: string, more: object = {}): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', body: JSON.stringify({ model: 'llama3', ...more }) });
}

const engines = ['llamacpp', 'lmstudio', 'ollama', 'openai', 'sglang', 'vllm'] as const;

const having: readonly (readonly [string, readonly string[]])[] = [
  ['/v1/responses', ['llamacpp', 'lmstudio', 'ollama', 'openai', 'sglang', 'vllm']],
  ['/v1/rerank', ['llamacpp', 'openai', 'sglang', 'vllm']],
  ['/v1/moderations', ['openai']],
  ['/v1/images/generations', ['openai']],
  ['/v1/audio/speech', ['openai']],
  ['/v1/messages', ['llamacpp', 'lmstudio', 'ollama', 'vllm']],
  ['/v1/messages/count_tokens', ['llamacpp', 'vllm']],
  ['/api/embed', ['ollama']],
  ['/api/embeddings', ['ollama']],
];

test('a request goes only to nodes of engines that have its endpoint, however busy they are', async (t) => {
  const nodes = await Promise.all(
    engines.map(() => scriptedNode((_request, reply) => reply.json(200, { object: 'an answer' }))),
  );
  t.after(() => Promise.all(nodes.map((node) => node.close())));
  await using router = await startDataPlane(
    nodes.map((node, index) => ({ url: node.url, engine: engines[index] ?? 'openai', slots: 1 })),
    // All of them: a policy that learns would prefer those that were quick.
    { selection: { policy: 'least-loaded' } },
  );
  for (const [path, expected] of having) {
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask(router, path)));
    for (const answer of answers) {
      assert.deepEqual([answer.status, await answer.text()], [200, '{"object":"an answer"}'], path);
    }
    const reached = engines.filter((_engine, index) => (nodes[index]?.count(path) ?? 0) > 0);
    assert.deepEqual(reached, expected, path);
  }
  await router.settled(having.length * 24);
});

test('where no node of the model has the endpoint the client is told so at once, in its dialect', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, engine: 'sglang' }]);
  const ranking = await startDataPlane([{ url: node.url, engine: 'ollama' }]);
  const ranked = await ask(ranking, '/v1/rerank');
  await ranking[Symbol.asyncDispose]();
  assert.equal(ranked.status, 404);
  assert.equal(ranked.headers.get('x-should-retry'), 'false');
  const moderation = await ask(router, '/v1/moderations');
  assert.equal(moderation.status, 404);
  assert.match(
    await moderation.text(),
    /^\{"error":\{"message":"No node .* has \/v1\/moderations\..*"model_not_found"\}\}$/,
  );
  assert.equal(node.requests.length, 0);
});

for (const [what, lacking] of [
  ['404', status(404, {}, 'File Not Found')],
  ['405', status(405, {}, 'Method Not Allowed')],
  ['501', status(501, {}, 'This server does not support reranking. Start it with `--reranking`')],
] as const) {
  test(`a node that answers ${what} for the endpoint is not asked for it again for a while, and keeps its other work`, async () => {
    await using old = await scriptedNode({ paths: { '/v1/rerank': lacking } });
    await using recent = await scriptedNode((_request, reply) => reply.json(200, { results: [] }));
    // Far more free slots, so that it is always the first choice.
    await using router = await startDataPlane([
      { url: old.url, slots: 100 },
      { url: recent.url, slots: 2 },
    ]);
    for (let turn = 0; turn < 8; turn += 1) assert.equal((await ask(router, '/v1/rerank')).status, 200);
    assert.deepEqual([old.count('/v1/rerank') <= 1, recent.count('/v1/rerank')], [true, 8]);
    for (let turn = 0; turn < 8; turn += 1) assert.equal((await router.chat()).status, 200);
    assert.ok(old.count('/v1/chat/completions') > 0, 'it still serves chat');
    await router.settled(16);
    assert.deepEqual(
      router.plane.gauges().nodes.map(({ breaker }) => breaker),
      ['closed', 'closed'],
    );
  });
}

test('where every node answers that it lacks the endpoint, each is asked once, and then none for a while', async (t) => {
  const nodes = await Promise.all(Array.from({ length: 5 }, () => scriptedNode(status(404, {}, 'Not Found'))));
  t.after(() => Promise.all(nodes.map((node) => node.close())));
  await using router = await startDataPlane(nodes.map(({ url }) => ({ url, engine: 'vllm' as const })));
  for (let turn = 0; turn < 3; turn += 1) {
    const answer = await ask(router, '/v1/rerank');
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /"No node that offers this model has \/v1\/rerank/);
  }
  assert.deepEqual(
    nodes.map((node) => node.requests.length),
    [1, 1, 1, 1, 1],
  );
});

test('a node that has the endpoint and does not know the model is another matter', async () => {
  await using node = await scriptedNode(status(404, {}, 'The model `llama3` does not exist.'));
  await using router = await startDataPlane([{ url: node.url }]);
  assert.match(await (await ask(router, '/v1/rerank')).text(), /"No node offers this model\./);
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.attempts[0]?.end, 'model-missing');
});

for (const [what, lacking] of [
  ['404', status(404, {}, 'File Not Found')],
  ['501', status(501, {}, 'This server does not support embeddings. Start it with `--embeddings`')],
] as const) {
  for (const path of ['/v1/embeddings', '/v1/completions', '/api/embed']) {
    test(`a node that answers ${what} for the embeddings or completions of ${path} keeps its chat`, async () => {
      await using node = await scriptedNode({ paths: { '/v1/embeddings': lacking, '/v1/completions': lacking } });
      await using router = await startDataPlane([{ url: node.url }]);
      for (let turn = 0; turn < 6; turn += 1) {
        const answer = await ask(router, path, path === '/v1/completions' ? { prompt: 'hello' } : { input: 'hello' });
        assert.deepEqual([answer.status, (await answer.text()).includes(`has ${path}.`)], [404, true]);
      }
      assert.equal((await router.chat()).status, 200);
      assert.equal(node.requests.length, 7, 'each was asked once');
      assert.deepEqual(
        router.plane.gauges().nodes.map(({ breaker }) => breaker),
        ['closed'],
      );
    });
  }
}
