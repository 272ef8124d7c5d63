import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import type { EngineKind } from '../../src/fleet/glossary.ts';
import { always, ollamaConnection, openaiConnection, type Replayed, whoAsks } from '../fixtures/open-webui.ts';
import { at } from '../support/json-path.ts';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedNode, type ScriptedNode } from '../support/scripted-node.ts';
import { ANSWER, speaking } from '../support/speaking-node.ts';
import { startDataPlane, testKey, type TestDataPlane } from '../support/start-data-plane.ts';

// Open WebUI is a server that would not fit here; what it asks is replayed from its source, and the answers are read as strictly as
// it reads them: `content-type` must say JSON, lists must have the fields it looks up, a stream must be lines or events.

const KEY = 'sk-weir-webui';

const paths: Readonly<Record<string, Scripted>> = {
  '/api/embed': (_request, reply) => reply.json(200, { model: 'llama3', embeddings: [[1], [2]], prompt_eval_count: 2 }),
  '/api/embeddings': (_request, reply) => reply.json(200, { embedding: [1] }),
  '/v1/embeddings': (request, reply) => {
    const input = at(request.json(), 'input');
    const texts = Array.isArray(input) ? input : [input];
    const data = texts.map((_text, index) => ({ object: 'embedding', index, embedding: [index + 1] }));
    reply.json(200, { object: 'list', model: 'llama3', data, usage: { prompt_tokens: 2, total_tokens: 2 } });
  },
};

function replay(router: TestDataPlane, { method, path, body }: Replayed, key = KEY): Promise<Response> {
  const headers = { ...always, ...whoAsks, authorization: `Bearer ${key}` };
  return fetch(router.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}

/** The text of a stream, joined; for tools the name of what was called. */
function saidIn(text: string, isEvents: boolean): string {
  const lines = isEvents
    ? text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice(6)] : []))
    : text.trim().split('\n');
  const parsed = lines.map((line): unknown => JSON.parse(line));
  if (!isEvents) assert.equal(at(parsed.at(-1), 'done'), true);
  return parsed
    .map((part) => {
      const said = isEvents ? at(part, 'choices', 0, 'delta') : at(part, 'message');
      const piece = at(said, 'tool_calls', 0, 'function', 'name') ?? at(said, 'content');
      return typeof piece === 'string' ? piece : '';
    })
    .join('');
}

async function assertAnswer(request: Replayed, response: Response): Promise<void> {
  const { what, path, body } = request;
  const text = await response.text();
  assert.equal(response.status, 200, `${what}: ${text}`);
  if (body && at(body, 'stream') === true) {
    const isEvents = path.startsWith('/v1/');
    assert.match(
      response.headers.get('content-type') ?? '',
      isEvents ? /^text\/event-stream/ : /^application\/x-ndjson/,
    );
    assert.equal(saidIn(text, isEvents), at(body, 'tools') ? 'get_current_time' : ANSWER.join(''), what);
    return;
  }
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/, what);
  const answer: unknown = JSON.parse(text);
  const found = {
    '/api/version': at(answer, 'version'),
    '/api/tags':
      at(answer, 'models', 0, 'model') === at(answer, 'models', 0, 'name') && at(answer, 'models', 0, 'name'),
    '/api/ps': at(answer, 'models'),
    '/api/chat': at(answer, 'message', 'content'),
    '/api/embed': at(answer, 'embeddings', 1, 0),
    '/api/embeddings': at(answer, 'embedding', 0),
    '/v1/models': at(answer, 'data', 0, 'id'),
    '/v1/chat/completions': at(answer, 'choices', 0, 'message', 'content'),
    '/v1/embeddings': at(answer, 'data', 1, 'embedding', 0),
  }[path];
  assert.ok(found !== undefined && found !== false, `${what}: ${text}`);
}

async function replayAll(requests: readonly Replayed[], engine: EngineKind): Promise<ScriptedNode> {
  await using node = await scriptedNode({ answer: speaking, paths });
  const keys = [testKey(keyHash(KEY))];
  await using router = await startDataPlane([{ url: node.url, engine }], { auth: { clients: 'required' } }, { keys });
  for (const request of requests) await assertAnswer(request, await replay(router, request));
  await router.settled(requests.filter(({ method }) => method === 'POST').length);
  return node;
}

for (const engine of ['ollama', 'openai'] as const) {
  test(`Open WebUI's Ollama connection, on ${engine} nodes`, async () => {
    const { requests } = await replayAll(ollamaConnection, engine);
    assert.equal(requests.length, ollamaConnection.filter(({ method }) => method === 'POST').length);
  });

  test(`Open WebUI's OpenAI connection, on ${engine} nodes`, async () => {
    await replayAll(openaiConnection, engine);
  });
}

test('who asks in Open WebUI, and with which key, is told to no node', async () => {
  const { requests } = await replayAll([...ollamaConnection, ...openaiConnection], 'ollama');
  for (const { headers } of requests) {
    const sent = JSON.stringify(headers);
    for (const secret of [KEY, ...Object.values(whoAsks).filter((value) => value !== 'user')])
      assert.ok(!sent.includes(secret), sent);
  }
});

test('a refusal reads as Open WebUI reads it', async () => {
  await using router = await startDataPlane([], { auth: { clients: 'required' } }, { keys: [testKey(keyHash(KEY))] });
  for (const request of [...ollamaConnection, ...openaiConnection]) {
    const refused = await replay(router, request, 'wrong');
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('content-type') ?? '', /^application\/json/);
    const error = at(await refused.json(), 'error');
    // A text under `error` for Ollama, an object with a message for OpenAI.
    const said = request.path.startsWith('/api/') ? error : at(error, 'message');
    assert.ok(typeof said === 'string' && said.startsWith('No valid API key'), request.path);
  }
});
