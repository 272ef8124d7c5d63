import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozen, held, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/v1/messages/count_tokens';
const counted: Scripted = (_request, reply) => reply.json(200, { input_tokens: 7 });

function count(router: TestDataPlane, init: RequestInit = {}): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', body: JSON.stringify({ model: 'llama3', messages: [] }), ...init });
}

test('tokens are counted on a node whose slots are all taken', async () => {
  await using node = await scriptedNode({ paths: { [path]: counted }, answer: frozen });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm', slots: 1 }]);
  const leaving = new AbortController();
  const chat = router.chat({}, { signal: leaving.signal }).catch(() => null);
  await until(() => node.requests.length === 1, { what: 'the slot to be taken' });
  const answer = await count(router);
  assert.deepEqual([answer.status, await answer.text()], [200, '{"input_tokens":7}']);
  assert.equal(answer.headers.has('x-weir-wait-ms'), false);
  leaving.abort();
  await chat;
});

test('at most 4 at once are on a node, and the next goes there when one has ended', async () => {
  const gate = held(counted);
  await using node = await scriptedNode({ paths: { [path]: gate.answer } });
  await using router = await startDataPlane([{ url: node.url, engine: 'llamacpp', slots: 16 }]);
  const leaving = new AbortController();
  const answers = Array.from({ length: 7 }, () => count(router));
  await until(() => gate.waiting() === 4 && router.plane.gauges().openRequests === 7, { what: '4 at the node' });
  const gone = count(router, { signal: leaving.signal }).catch(() => null);
  await until(() => router.plane.gauges().openRequests === 8, { what: 'one more' });
  leaving.abort();
  await gone;
  await until(() => router.plane.gauges().openRequests === 7, { what: 'it to be gone' });
  assert.equal(node.requests.length, 4);
  assert.equal(router.plane.gauges().openLeases, 0, 'none takes a slot');
  gate.release();
  for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200);
  assert.equal(node.requests.length, 7, 'who left was never sent');
});

test('several nodes share the questions', async () => {
  const gate = held(counted);
  const script = { paths: { [path]: gate.answer } };
  await using one = await scriptedNode(script);
  await using other = await scriptedNode(script);
  await using router = await startDataPlane([
    { url: one.url, engine: 'vllm' },
    { url: other.url, engine: 'vllm' },
  ]);
  const answers = Array.from({ length: 8 }, () => count(router));
  await until(() => gate.waiting() === 8, { what: 'all at the nodes' });
  assert.deepEqual([one.requests.length, other.requests.length], [4, 4]);
  gate.release();
  await Promise.all(answers);
});

test('a question that cannot be put in time is told so in its dialect, and so is one for an unknown model', async () => {
  const gate = held(counted);
  await using node = await scriptedNode({ paths: { [path]: gate.answer } });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  const running = Array.from({ length: 4 }, () => count(router));
  await until(() => gate.waiting() === 4, { what: '4 at the node' });
  const late = await count(router, { headers: { 'x-weir-max-wait-ms': '30' } });
  assert.equal(late.status, 504);
  assert.match(await late.text(), /^\{"type":"error","error":\{"type":"timeout_error".*"wait_timeout"/);
  const unknown = await count(router, { body: '{"model":"nobody"}' });
  assert.equal(unknown.status, 404);
  assert.match(await unknown.text(), /"type":"not_found_error".*"model_not_found"/);
  gate.release();
  await Promise.all(running);
});

test('a node that fails the question is followed by another, and who waits at a stop is told', async () => {
  await using failing = await scriptedNode((_request, reply) => reply.reset());
  await using node = await scriptedNode(counted);
  await using router = await startDataPlane([
    { url: failing.url, engine: 'vllm' },
    { url: node.url, engine: 'vllm' },
  ]);
  assert.equal((await count(router)).status, 200);
  router.publish([{ url: node.url, engine: 'vllm', state: 'offline', generation: 2 }]);
  const waiting = count(router);
  await until(() => router.plane.gauges().openRequests === 1, { what: 'one to wait' });
  await router.plane.drain(1000);
  assert.equal((await waiting).status, 503);
});

const conversation = {
  model: 'llama3',
  system: 'You count words.',
  messages: [
    { role: 'user', content: 'The quick brown fox jumps over the lazy dog. '.repeat(20) },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'count', input: { text: 'fox' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '1' }] },
  ],
  tools: [{ name: 'count', description: 'Counts a word.', input_schema: { type: 'object', properties: {} } }],
};

test('where no node counts, the router guesses and says so', async () => {
  await using old = await scriptedNode((_request, reply) => reply.json(404, { error: { message: 'not found' } }));
  for (const engine of ['ollama', 'vllm'] as const) {
    await using router = await startDataPlane([{ url: old.url, engine }]);
    const answer = await count(router, { body: JSON.stringify(conversation) });
    assert.equal(answer.status, 200, engine);
    const told: unknown = await answer.json();
    assert.ok(typeof told === 'object' && told !== null && 'input_tokens' in told);
    // 200 words of English in the tokenizers of today's models, and some for what lies around them.
    assert.ok(Number(told.input_tokens) > 200 && Number(told.input_tokens) < 400, JSON.stringify(told));
    assert.ok('estimated' in told && told.estimated === true);
    const [settlement] = await router.settled(1);
    assert.equal(settlement?.outcome, 'served');
  }
  assert.equal(old.count(path), 1, 'Ollama is not asked at all');
});

test('images and other scripts weigh what they cost', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, engine: 'ollama' }]);
  const tokens = async (content: unknown): Promise<number> => {
    const body = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content }] });
    const told: unknown = await (await count(router, { body })).json();
    return typeof told === 'object' && told !== null && 'input_tokens' in told ? Number(told.input_tokens) : 0;
  };
  const none = await tokens('');
  const source = { type: 'base64', media_type: 'image/png', data: 'A'.repeat(400_000) };
  assert.ok((await tokens([{ type: 'image', source }])) - none < 2000, 'not by the length of its bytes');
  assert.equal((await tokens('日本語の文章です。')) - none, 9);
});
