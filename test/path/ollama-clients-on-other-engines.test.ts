import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, chatStream, deltaEvent, inTurn, type Scripted, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';

const messages = [{ role: 'user', content: 'hello' }];

function ask(router: TestDataPlane, path: string, body: object): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', body: JSON.stringify({ model: 'llama3', ...body }) });
}

async function linesOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  assert.ok(text.endsWith('\n'), text);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** The last object of a stream, or a whole answer, less its text. */
const counts = {
  done: true,
  done_reason: 'stop',
  total_duration: 0,
  load_duration: 0,
  prompt_eval_duration: 0,
  eval_duration: 0,
};
const told = { model: 'llama3', created_at: '1970-01-01T00:00:00.000Z' };

const piece = (content: string): object => ({ ...told, message: { role: 'assistant', content } });

const calls: Scripted = (_request, reply) =>
  reply.json(200, {
    created: 0,
    choices: [
      {
        index: 0,
        message: {
          content: null,
          tool_calls: [{ id: 'x', type: 'function', function: { name: 'weather', arguments: '{"city":"Kyoto"}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
  });

const completion: Scripted = (_request, reply) =>
  reply.json(200, { created: 0, choices: [{ index: 0, text: 'raw', finish_reason: 'stop' }] });

const embedded: Scripted = (_request, reply) =>
  reply.json(200, { data: [{ index: 0, embedding: [0.6, 0.8] }], usage: { prompt_tokens: 2, total_tokens: 2 } });

const native: Scripted = (_request, reply) =>
  reply.json(200, { model: 'llama3', message: { role: 'assistant', content: 'own' }, done: true });

test('a chat is streamed as Ollama streams one', async () => {
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': chatStream(['Hel', 'lo']) } });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm', models: { llama3: '/srv/llama3' } }]);
  const response = await ask(router, '/api/chat', { messages, options: { num_predict: 9 } });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  assert.deepEqual(await linesOf(response), [
    { ...piece('Hel'), done: false },
    { ...piece('lo'), done: false },
    { ...piece(''), ...counts, prompt_eval_count: 0, eval_count: 2 },
  ]);
  const asked = { messages, max_tokens: 9, stream: true, stream_options: { include_usage: true } };
  assert.deepEqual(node.requests[0]?.json(), { model: '/srv/llama3', ...asked });
  const [settlement] = await router.settled(1);
  assert.deepEqual(
    [settlement?.path, settlement?.outcome, settlement?.usage?.completionTokens],
    ['/api/chat', 'served', 2],
  );
});

test('a chat is answered whole where the client asks for that', async () => {
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': chat } });
  await using router = await startDataPlane([{ url: node.url, engine: 'sglang' }]);
  const response = await ask(router, '/api/chat', { messages, stream: false });
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), {
    ...told,
    message: { role: 'assistant', content: 'Hello from a node' },
    ...counts,
    prompt_eval_count: 5,
    eval_count: 4,
  });
});

test('tools are offered, called and answered', async () => {
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': inTurn(calls, chat) } });
  await using router = await startDataPlane([{ url: node.url, engine: 'openai' }]);
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  const answer: unknown = await (await ask(router, '/api/chat', { messages, tools, stream: false })).json();
  assert.ok(typeof answer === 'object' && answer !== null && 'message' in answer);
  const { message } = answer;
  const asked = { function: { index: 0, name: 'weather', arguments: { city: 'Kyoto' } } };
  assert.deepEqual(message, { role: 'assistant', content: '', tool_calls: [{ id: 'x', ...asked }] });
  const result = { role: 'tool', tool_name: 'weather', content: 'rain' };
  const next = await ask(router, '/api/chat', { messages: [...messages, message, result], tools, stream: false });
  assert.equal(next.status, 200);
  const sent: unknown = node.requests[1]?.json();
  assert.ok(typeof sent === 'object' && sent !== null && 'messages' in sent && Array.isArray(sent.messages));
  assert.deepEqual(sent.messages.at(-1), { role: 'tool', tool_call_id: 'x', content: 'rain' });
});

test('a prompt is a chat, and a raw one goes to completions', async () => {
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': chat, '/v1/completions': completion } });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  const cooked = await linesOf(await ask(router, '/api/generate', { prompt: 'hello' }));
  assert.deepEqual(cooked[0], { ...told, response: 'Hello', done: false });
  const raw = await ask(router, '/api/generate', { prompt: 'hello', raw: true, stream: false });
  assert.deepEqual(await raw.json(), { ...told, response: 'raw', ...counts, prompt_eval_count: 0, eval_count: 0 });
  assert.equal(node.count('/v1/completions'), 1);
});

test('embeddings come in the form of either endpoint', async () => {
  await using node = await scriptedNode({ paths: { '/v1/embeddings': embedded } });
  await using router = await startDataPlane([{ url: node.url, engine: 'lmstudio' }]);
  const answer = await ask(router, '/api/embed', { input: 'hello' });
  const rest = { total_duration: 0, load_duration: 0, prompt_eval_count: 2 };
  assert.deepEqual(await answer.json(), { model: 'llama3', embeddings: [[0.6, 0.8]], ...rest });
  assert.deepEqual(await (await ask(router, '/api/embeddings', { prompt: 'x' })).json(), { embedding: [0.6, 0.8] });
  for (const { stream } of await router.settled(2)) assert.equal(stream, false);
});

test('a field that cannot be said is refused by its name before any node is asked', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  for (const [path, body, field] of [
    ['/api/chat', { messages, options: { novelty: 1 } }, 'options.novelty'],
    ['/api/generate', { prompt: 'x', context: [1] }, 'context'],
    ['/api/embed', { input: [1] }, 'input'],
  ] as const) {
    const response = await ask(router, path, body);
    assert.equal(response.status, 400);
    assert.match(await response.text(), new RegExp(`^\\{"error":"[^"]*${field}.*"code":"unsupported_field"`));
  }
  assert.equal(node.requests.length, 0);
});

test("an error before the answer, and one within its stream, are told in Ollama's form", async () => {
  const begun = Promise.withResolvers<void>();
  const torn: Scripted = async (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('Hel'));
    await begun.promise;
    reply.response.end('data: {"error":{"message":"out of memory"}}\n\n');
  };
  const steps = inTurn(status(400, {}, 'too long'), torn);
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': steps } });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  const refused = await ask(router, '/api/chat', { messages });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /^\{"error":"too long"/);
  const stream = await ask(router, '/api/chat', { messages });
  begun.resolve();
  const [first, second, ...others] = await linesOf(stream);
  assert.deepEqual(first, { ...told, message: { role: 'assistant', content: 'Hel' }, done: false });
  assert.match(JSON.stringify(second), /^\{"error":"[^"]*out of memory[^"]*","code":"stream_interrupted"/);
  assert.deepEqual(others, []);
});

test('in a mixed fleet each node is asked in what it speaks', async () => {
  await using ollama = await scriptedNode({ paths: { '/api/chat': native } });
  await using other = await scriptedNode({ paths: { '/v1/chat/completions': chat } });
  await using router = await startDataPlane([
    { url: ollama.url, engine: 'ollama', slots: 4 },
    { url: other.url, engine: 'vllm', slots: 4 },
  ]);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ask(router, '/api/chat', { messages, stream: false })),
  );
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  for (const text of texts)
    assert.match(text, /"message":\{"role":"assistant","content":"(?:own|Hello from a node)"\}/);
  assert.ok(ollama.count('/api/chat') > 0 && other.count('/v1/chat/completions') > 0);
  assert.equal(ollama.count('/api/chat') + other.count('/v1/chat/completions'), 8);
});

test('a client that leaves ends the work on the node', async () => {
  const gone = Promise.withResolvers<void>();
  const endless: Scripted = async (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('Hel'));
    await reply.gone;
    gone.resolve();
  };
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': endless } });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  const leaving = new AbortController();
  const response = await fetch(`${router.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3', messages }),
    signal: leaving.signal,
  });
  await response.body?.getReader().read();
  leaving.abort();
  await gone.promise;
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.status, 499);
});

const telling: Scripted = ({ headers }, reply) =>
  reply.json(200, {
    model: '/srv/canary/own.gguf',
    system_fingerprint: `canary at ${headers.host}`,
    choices: [{ index: 0, message: { content: 'hello' }, finish_reason: 'stop' }],
  });

const refusing: Scripted = ({ headers }, reply) =>
  reply.json(400, { error: { message: `canary-node-0 at http://${headers.host}/v1 has no /srv/canary/own.gguf` } });

test('a translated answer tells of its node no more than a relayed one', async () => {
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': inTurn(telling, refusing) } });
  await using router = await startDataPlane([
    { url: node.url, engine: 'vllm', models: { llama3: '/srv/canary/own.gguf' } },
  ]);
  for (const expected of [200, 400]) {
    const answer = await ask(router, '/api/chat', { messages, stream: false });
    const text = JSON.stringify([...answer.headers]) + (await answer.text());
    assert.equal(answer.status, expected);
    assert.equal(text.includes('canary') || text.includes(new URL(node.url).host), false, text);
  }
});
