import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { frozen, type Scripted } from '../../../test/support/scripted-answers.ts';
import type { EngineKind } from '../../fleet/glossary.ts';
import { ManualClock } from '../../lib/clock.ts';
import { type Former, listingOf, type ProbeAnswer } from '../probe.ts';
import { answered, json, list, llamaPaths, probe, text } from '../../../test/support/probe.ts';

const reset: Scripted = (_request, reply) => reply.reset();

const unknownPath = json({ error: 'not found' }, 404);

function formerly(engine: EngineKind, { models }: ProbeAnswer, isDoubted = false): Former {
  return { engine, listing: listingOf(models), isDoubted };
}

const ollamaPaths = {
  '/v1/models': list('library', { id: 'm' }),
  '/api/version': json({ version: '0.12.3' }),
  '/api/tags': json({ models: [{ name: 'm' }] }),
  '/api/ps': json({ models: [] }),
};

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
