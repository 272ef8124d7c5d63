import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { frozen, type Scripted, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane, testKey } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/api/show';
const own = '/root/.ollama/models/blobs/sha256-' + 'a'.repeat(64);

const shown: Scripted = (_request, reply) =>
  reply.json(200, {
    modelfile: `# FROM own:8b\n\nFROM ${own}\nTEMPLATE x\n`,
    details: { family: 'llama', parent_model: own },
    model_info: { 'general.architecture': 'llama' },
    capabilities: ['completion', 'tools'],
  });

function show(router: TestDataPlane, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', body: JSON.stringify(body), headers });
}

test('an Ollama node that has the model is asked under its own name for it, and its files are not told', async () => {
  await using node = await scriptedNode({ paths: { [path]: shown } });
  await using other = await scriptedNode();
  await using router = await startDataPlane([
    { url: other.url, engine: 'vllm', slots: 50 },
    { url: node.url, engine: 'ollama', models: { llama3: 'own:8b' } },
  ]);
  for (const body of [{ model: 'llama3' }, { name: 'llama3', verbose: false }]) {
    const answer = await show(router, body);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.deepEqual(await answer.json(), {
      modelfile: '# FROM llama3\n\nFROM llama3\nTEMPLATE x\n',
      details: { family: 'llama', parent_model: '' },
      model_info: { 'general.architecture': 'llama' },
      capabilities: ['completion', 'tools'],
    });
  }
  assert.deepEqual(
    node.requests.map((request) => request.json()),
    [{ model: 'own:8b' }, { model: 'own:8b', verbose: false }],
  );
  assert.equal(other.requests.length, 0);
});

test('a model that no Ollama has is described by the router, and no node is asked', async () => {
  await using node = await scriptedNode(status(500));
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm', models: { llama3: '/srv/own.gguf' } }]);
  const answer = await show(router, { name: 'llama3:latest' });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  assert.match(text, /"modelfile":"FROM llama3:latest\\n"/);
  assert.match(text, /"capabilities":\["completion"\]/);
  assert.doesNotMatch(text, /srv|own|canary/);
  assert.match(answer.headers.get('x-request-id') ?? '', /^[\da-f-]{36}$/);
  assert.equal(node.requests.length, 0);
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.status, settlement?.responseBytes], [200, Buffer.byteLength(text)]);
});

test('it takes no slot', async () => {
  await using node = await scriptedNode({ paths: { [path]: shown }, answer: frozen });
  await using router = await startDataPlane([{ url: node.url, engine: 'ollama', slots: 1 }]);
  const leaving = new AbortController();
  const chat = router.chat({}, { signal: leaving.signal }).catch(() => null);
  await until(() => node.requests.length === 1, { what: 'the slot to be taken' });
  assert.equal((await show(router, { model: 'llama3' })).status, 200);
  leaving.abort();
  await chat;
});

const codeOf = async (answer: Response): Promise<unknown> => [
  answer.status,
  /^\{"error":".*,"code":"(\w+)"/.exec(await answer.text())?.[1],
];

test('who asks badly, for what nobody has or for what the key may not use is told so', async () => {
  await using node = await scriptedNode({ paths: { [path]: shown } });
  const keys = [testKey(keyHash('secret'), { models: ['qwen:8b'] })];
  await using router = await startDataPlane([{ url: node.url, engine: 'ollama' }], {}, { keys });
  assert.deepEqual(await codeOf(await show(router, {})), [400, 'missing_model']);
  assert.deepEqual(await codeOf(await show(router, { name: 'nobody' })), [404, 'model_not_found']);
  const headers = { authorization: 'Bearer secret' };
  assert.deepEqual(await codeOf(await show(router, { model: 'llama3' }, headers)), [403, 'not_allowed']);
  assert.equal(node.requests.length, 0);
});

test('a node that does not know the model after all is followed by another', async () => {
  await using missing = await scriptedNode({ paths: { [path]: status(404, {}, "model 'llama3' not found") } });
  await using node = await scriptedNode({ paths: { [path]: shown } });
  await using router = await startDataPlane([
    { url: missing.url, engine: 'ollama' },
    { url: node.url, engine: 'ollama' },
  ]);
  for (let nth = 0; nth < 4; nth += 1) assert.equal((await show(router, { model: 'llama3' })).status, 200);
  assert.ok(node.count(path) > 0);
});
