import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { held, inTurn, type Scripted, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { testSettings } from '../support/settings.ts';
import { until } from '../support/until.ts';

const hits = [
  {
    id: 'org/q-GGUF',
    author: 'org',
    downloads: 1234,
    likes: 5,
    pipeline_tag: 'text-generation',
    library_name: 'gguf',
    tags: ['gguf', 'en'],
    gated: 'auto',
    lastModified: '2026-02-03T00:00:00.000Z',
  },
  { modelId: 'other/q', tags: null, gated: false },
  'nonsense',
];
const busy: Scripted = (_request, reply) => reply.json(429, { error: 'slow down' }, { 'retry-after': '30' });
const page: Scripted = (_request, { response }) => void response.end('<html>');
const answer: Scripted = (_request, reply) => reply.json(200, hits);

async function search(
  plane: TestControlPlane,
  query: string,
): Promise<{ status: number; body: unknown; told: string }> {
  const { status: code, json } = await plane.api('GET', `/api/models/catalogue?${query}`);
  const { error } = Object(json);
  return { status: code, body: json, told: error ? `${code} ${error.code}: ${error.message}` : '' };
}

test('a search goes to the hub once over the shared client, and its answer is kept', async () => {
  await using hub = await scriptedNode({ paths: { '/base/api/models': answer } });
  await using plane = await startTestControlPlane(testSettings({ catalogue: { url: `${hub.url}/base/` } }));
  const { status: code, body } = await search(plane, 'q=qwen%203&format=gguf&limit=7');
  const { data, stale } = Object(body);
  assert.deepEqual([code, stale, data.length], [200, false, 2]);
  assert.deepEqual(data[0], {
    id: 'org/q-GGUF',
    author: 'org',
    downloads: 1234,
    likes: 5,
    task: 'text-generation',
    library: 'gguf',
    tags: ['gguf', 'en'],
    gated: true,
    updatedAt: Date.UTC(2026, 1, 3),
    pullName: 'hf.co/org/q-GGUF',
  });
  assert.deepEqual([data[1].id, data[1].author, data[1].pullName], ['other/q', 'other', null]);
  const asked = new URL(hub.requests[0]?.path ?? '', hub.url).searchParams;
  assert.deepEqual(Object.fromEntries(asked), {
    search: 'qwen 3',
    limit: '7',
    sort: 'downloads',
    direction: '-1',
    filter: 'gguf',
  });
  await search(plane, 'q=qwen%203&format=gguf&limit=7');
  assert.equal(hub.requests.length, 1);
  await search(plane, 'q=another');
  assert.deepEqual([hub.requests.length, hub.sockets().opened], [2, 1]);
});

test('two who search for the same at once share one question, and only so many run at a time', async () => {
  const gate = held(answer);
  await using hub = await scriptedNode({ paths: { '/api/models': gate.answer } });
  await using plane = await startTestControlPlane(testSettings({ catalogue: { url: hub.url } }));
  const same = [search(plane, 'q=a'), search(plane, 'q=a')];
  const others = ['b', 'c', 'd'].map((text) => search(plane, `q=${text}`));
  await until(() => gate.waiting() === 4, { what: 'four searches' });
  const { told } = await search(plane, 'q=e');
  assert.match(told, /^503 catalogue_busy: .*4 searches are under way.*Try again/);
  gate.release();
  const all = await Promise.all(same.concat(others));
  assert.deepEqual([...new Set(all.map(({ status: code }) => code))], [200]);
  assert.equal(hub.requests.length, 4);
});

test('while the hub is away its last answer is given as stale, and without one it says what to do', async () => {
  const hub = await scriptedNode({ paths: { '/api/models': answer } });
  await using plane = await startTestControlPlane(testSettings({ catalogue: { url: hub.url, cacheTtlMs: 0 } }));
  await search(plane, 'q=a');
  await hub.close();
  const { status: code, body } = await search(plane, 'q=a');
  assert.deepEqual([code, Object(body).stale, Object(body).data.length], [200, true, 2]);
  const { told } = await search(plane, 'q=b');
  assert.match(
    told,
    /^503 catalogue_unreachable: The model hub 127\.0\.0\.1:\d+ is not available\..*set catalogue\.url/,
  );
});

test('a hub that refuses, that is busy and that is none are told apart', async () => {
  const paths = { '/api/models': inTurn(status(403, {}, 'no'), busy, page) };
  await using hub = await scriptedNode({ paths });
  await using plane = await startTestControlPlane(testSettings({ catalogue: { url: hub.url } }));
  assert.match((await search(plane, 'q=a')).told, /^502 catalogue_refused: .*answered 403: no\. Check catalogue\.url/);
  const limited = await plane.api('GET', '/api/models/catalogue?q=a');
  assert.deepEqual([limited.status, limited.headers.get('retry-after')], [503, '30']);
  assert.match((await search(plane, 'q=a')).told, /^502 catalogue_refused: .*did not answer as a model hub/);
});

test('a search without words is refused', async () => {
  await using plane = await startTestControlPlane(testSettings());
  for (const query of ['', 'q=', 'q=%20', 'q=a&limit=1000', 'q=a&format=zip', 'query=a']) {
    assert.equal((await search(plane, query)).status, 400, query);
  }
});
