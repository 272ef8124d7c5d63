import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { startDataPlane, testKey } from '../support/start-data-plane.ts';

const nodes = [
  {
    url: 'http://127.0.0.1:1',
    engine: 'ollama' as const,
    models: { 'llama3:latest': 'llama3:latest', 'qwen:8b': 'qwen:8b' },
  },
  { url: 'http://127.0.0.1:2', models: { llama3: '/srv/llama3.gguf', 'host:5000/org/x': 'x' } },
  { url: 'http://127.0.0.1:3', models: { gone: 'gone' }, state: 'offline' as const },
];

async function names(url: string, init: RequestInit = {}): Promise<string[]> {
  const list: unknown = await (await fetch(url, init)).json();
  assert.ok(typeof list === 'object' && list !== null && 'models' in list && Array.isArray(list.models));
  return list.models.map((model: { name: string; digest: string }) => {
    assert.match(model.digest, /^[0-9a-f]{64}$/);
    return model.name;
  });
}

test('the tags are the union over the fleet, each with a tag, and name no node', async () => {
  await using router = await startDataPlane(nodes);
  const url = `${router.url}/api/tags`;
  assert.deepEqual(await names(url), ['gone:latest', 'host:5000/org/x:latest', 'llama3:latest', 'qwen:8b']);
  const text = await (await fetch(url)).text();
  assert.doesNotMatch(text, /canary|127\.0\.0\.1|srv/);
});

test('what runs is what a node is ready to serve', async () => {
  const clock = new ManualClock();
  await using router = await startDataPlane(nodes, {}, { clock });
  assert.deepEqual(await names(`${router.url}/api/ps`), ['host:5000/org/x:latest', 'llama3:latest', 'qwen:8b']);
  const text = await (await fetch(`${router.url}/api/ps`)).text();
  assert.ok(text.includes(`"expires_at":"${new Date(clock.wall() + 300_000).toISOString()}"`), text);
});

test('a key sees its own models only', async () => {
  const keys = [testKey(keyHash('secret'), { models: ['qwen:8b'] })];
  await using router = await startDataPlane(nodes, {}, { keys });
  const headers = { authorization: 'Bearer secret' };
  assert.deepEqual(await names(`${router.url}/api/tags`, { headers }), ['qwen:8b']);
  assert.deepEqual(await names(`${router.url}/api/ps`, { headers }), ['qwen:8b']);
});

test('the version is one that clients can compare', async () => {
  await using router = await startDataPlane([]);
  assert.match(await (await fetch(`${router.url}/api/version`)).text(), /^\{"version":"\d+\.\d+\.\d+"\}$/);
});

test('commands that would change a node are for administrators, and no node sees them', async () => {
  await using router = await startDataPlane(nodes);
  for (const [method, path] of [
    ['POST', '/api/pull'],
    ['POST', '/api/push'],
    ['POST', '/api/create'],
    ['POST', '/api/copy'],
    ['DELETE', '/api/delete'],
  ] as const) {
    const answer = await fetch(router.url + path, { method, body: '{"model":"llama3"}' });
    assert.equal(answer.status, 403, path);
    assert.match(
      await answer.text(),
      /^\{"error":"[^"]*administrator[^"]*","code":"not_allowed","type":"permission_error"\}$/,
    );
  }
  assert.equal((await fetch(`${router.url}/api/delete`, { method: 'POST' })).headers.get('allow'), 'DELETE');
});

test('lists ask for a key where keys are required', async () => {
  await using router = await startDataPlane(nodes, { auth: { clients: 'required' } });
  for (const path of ['/api/tags', '/api/ps', '/api/version']) {
    const answer = await fetch(router.url + path);
    assert.deepEqual([answer.status, /"code":"(\w+)"/.exec(await answer.text())?.[1]], [401, 'invalid_api_key']);
  }
  assert.equal((await fetch(`${router.url}/api/pull`, { method: 'POST' })).status, 401);
});

test("Ollama's command line finds somebody there", async () => {
  await using router = await startDataPlane(nodes);
  assert.equal((await fetch(`${router.url}/`, { method: 'HEAD' })).status, 200);
  assert.equal((await fetch(`${router.url}/`)).status, 404);
});

test('what engines tell of a model is listed, and what they do not is empty', async () => {
  await using router = await startDataPlane(nodes);
  const digest = 'ab'.repeat(32);
  const offers = [{ node: 0, upstream: 'q', ready: true, slots: null }];
  const files = { sizeBytes: 4_700_000_000, quantization: 'Q4_K_M', digest };
  router.publish(nodes, { models: new Map([['q', { name: 'q', offers, files, firstSeenAt: 0 }]]) });
  const told: unknown = await (await fetch(`${router.url}/api/tags`)).json();
  assert.deepEqual(told, {
    models: [
      {
        name: 'q:latest',
        model: 'q:latest',
        size: 4_700_000_000,
        digest,
        details: {
          parent_model: '',
          format: '',
          family: '',
          families: [],
          parameter_size: '',
          quantization_level: 'Q4_K_M',
        },
        modified_at: '1970-01-01T00:00:00.000Z',
      },
    ],
  });
});
