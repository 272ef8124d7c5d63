import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { chatStream, deltaEvent, finishEvent, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey, type TestDataPlane } from '../support/start-data-plane.ts';

const messages = [{ role: 'user', content: 'count' }];

/** Says these pieces and dies. */
function breaksAfter(...pieces: readonly string[]): Scripted {
  return async (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('').replace('"content":""', '"role":"assistant","content":""'));
    for (const piece of pieces) await new Promise((resolve) => reply.response.write(deltaEvent(piece), resolve));
    reply.reset();
  };
}

function own(event: string): string {
  return event.replaceAll('chatcmpl-scripted', 'chatcmpl-other');
}

/** Goes on with a stream of its own: another id, its role again, usage of its own. */
const rest: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.write(own(deltaEvent('').replace('"content":""', '"role":"assistant","content":""')));
  reply.response.write(own(deltaEvent(' three')));
  reply.response.write(own(finishEvent()));
  reply.response.write(
    'data: {"id":"chatcmpl-other","object":"chat.completion.chunk","created":9,"model":"llama3","choices":[],' +
      '"usage":{"prompt_tokens":12,"completion_tokens":1,"total_tokens":13}}\n\n',
  );
  reply.response.end('data: [DONE]\n\n');
};

const dies: Scripted = (_request, reply) => reply.reset();

const refuses: Scripted = (_request, reply) => reply.json(400, { error: { message: 'no prefill at node-9' } });

const thinks: Scripted = async (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = deltaEvent('hm').replace('"content"', '"reasoning_content"');
  await new Promise((resolve) => reply.response.write(event, resolve));
  reply.reset();
};

function completionEvent(text: string): string {
  return `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, text }] })}\n\n`;
}

const twoAndThree: Scripted = async (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  const events = completionEvent('two ') + completionEvent('three ');
  await new Promise((resolve) => reply.response.write(events, resolve));
  reply.reset();
};

const four: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.end(`${completionEvent('four')}data: [DONE]\n\n`);
};

async function stream(router: TestDataPlane, body: object = {}, headers: Record<string, string> = {}) {
  const answer = await router.chat({ messages, stream: true, ...body }, { headers });
  const text = await answer.text();
  return { text, ids: new Set(text.match(/"id":"[^"]*"/g)) };
}

/** Always asks `first` first: it has far more free slots. */
async function fleet(
  first: Scripted,
  second: Scripted,
  engines: readonly ('vllm' | 'sglang' | 'ollama' | 'llamacpp')[],
) {
  const nodes = [await scriptedNode(first), await scriptedNode(second)] as const;
  const router = await startDataPlane(
    [
      { url: nodes[0].url, slots: 50, engine: engines[0] ?? 'vllm' },
      { url: nodes[1].url, slots: 1, engine: engines[1] ?? 'vllm' },
    ],
    {},
    { keys: [testKey(keyHash('whole'), { id: 'whole', resume: false }), testKey(keyHash('any'))] },
  );
  return {
    router,
    nodes,
    [Symbol.asyncDispose]: async () => {
      await router[Symbol.asyncDispose]();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

test('a stream of text that breaks goes on at another node as the same stream', async () => {
  await using stage = await fleet(breaksAfter('one', ' tw\\u00f6 "'), rest, ['ollama', 'vllm']);
  const { text, ids } = await stream(stage.router, { max_tokens: 50, stream_options: { include_usage: true } });
  assert.match(text, /data: \[DONE\]\n\n$/);
  assert.equal(text.split('[DONE]').length, 2);
  assert.equal(text.split('"role"').length, 2, 'the role is told once');
  assert.equal(ids.size, 1, 'one id');
  assert.match(text, /"usage":\{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13\}/);
  const asked = stage.nodes[1].requests.at(-1)?.json();
  assert.deepEqual(asked, {
    model: 'llama3',
    messages: [...messages, { role: 'assistant', content: 'one tw\\u00f6 "' }],
    stream: true,
    max_tokens: 48,
    stream_options: { include_usage: true },
    add_generation_prompt: false,
    continue_final_message: true,
  });
  const [settlement] = await stage.router.settled(1);
  assert.deepEqual(
    [settlement?.outcome, settlement?.attempts.map(({ end }) => end), settlement?.usage?.completionTokens],
    ['served', ['broken', 'complete'], 3],
  );
});

test('the official client sees one answer', async () => {
  await using stage = await fleet(breaksAfter('one', ' two'), rest, []);
  const client = new OpenAI({ baseURL: `${stage.router.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const said = client.chat.completions.stream({
    model: 'llama3',
    stream: true,
    messages: [{ role: 'user', content: 'count' }],
  });
  const answer = await said.finalChatCompletion();
  assert.equal(answer.choices[0]?.message.content, 'one two three');
});

test('a completion goes on after its prompt', async () => {
  await using stage = await fleet(twoAndThree, four, ['llamacpp', 'llamacpp']);
  const answer = await fetch(`${stage.router.url}/v1/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3', prompt: 'one ', stream: true }),
  });
  assert.match(await answer.text(), /"two "[^]*"three "[^]*"four"[^]*\[DONE\]\n\n$/);
  assert.deepEqual(stage.nodes[1].requests.at(-1)?.json(), { model: 'llama3', prompt: 'one two three ', stream: true });
});

const unsound: readonly (readonly [string, object, Record<string, string>])[] = [
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, {}],
  ['a grammar', { response_format: { type: 'json_object' } }, {}],
  ['several choices', { n: 2 }, {}],
  ['a field nobody knows', { thinking_budget: 7 }, {}],
  ["an assistant's text to be continued", { messages: [...messages, { role: 'assistant', content: 'o' }] }, {}],
  ['no tokens left', { max_tokens: 2 }, {}],
  ['a client that does not want it', {}, { 'x-weir-resume': 'OFF' }],
];
for (const [what, body, headers] of unsound) {
  test(`with ${what} a broken stream is told as such`, async () => {
    await using stage = await fleet(breaksAfter('one', ' two'), rest, []);
    const { text } = await stream(stage.router, body, headers);
    assert.match(text, /"code":"stream_interrupted"\}\}\n\n$/);
    assert.equal(stage.nodes[1].count('/v1/chat/completions'), 0);
    await stage.router.settled(1);
  });
}

test('reasoning is not continued as if it were the answer', async () => {
  await using stage = await fleet(thinks, rest, []);
  assert.match((await stream(stage.router)).text, /"code":"stream_interrupted"/);
});

test('nodes that are not known to go on with a text are not asked to', async () => {
  await using stage = await fleet(breaksAfter('one'), rest, ['vllm', 'ollama']);
  assert.match((await stream(stage.router)).text, /"code":"stream_interrupted"/);
  assert.equal(stage.nodes[1].count('/v1/chat/completions'), 0);
  const [settlement] = await stage.router.settled(1);
  assert.equal(settlement?.outcome, 'interrupted');
});

test('a node that refuses to go on ends the stream as a broken one, and nothing of it is told', async () => {
  await using stage = await fleet(breaksAfter('one'), refuses, []);
  const { text } = await stream(stage.router);
  assert.match(text, /"one"[^]*"code":"stream_interrupted"\}\}\n\n$/);
  assert.doesNotMatch(text, /node-9|prefill/);
  await stage.router.settled(1);
});

test('what another node begins anew is not taken for a continuation', async () => {
  // Dies before anything was sent: an ordinary retry, with the first one's words forgotten.
  await using stage = await fleet(dies, chatStream(['all', ' of it']), []);
  const { text } = await stream(stage.router);
  assert.match(text, /"all"[^]*" of it"[^]*\[DONE\]/);
  assert.deepEqual(stage.nodes[1].requests.at(-1)?.json(), { model: 'llama3', messages, stream: true });
});

test('another word in x-weir-resume is refused by name', async () => {
  await using stage = await fleet(rest, rest, []);
  const answer = await stage.router.chat({}, { headers: { 'x-weir-resume': 'maybe' } });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /x-weir-resume must be on or off/);
});

test('a key for which streams are not resumed is told of the break, whatever its header says; another one is not', async () => {
  await using stage = await fleet(breaksAfter('one'), rest, []);
  const { router } = stage;
  assert.match((await stream(router, {}, { authorization: 'Bearer any' })).text, /\[DONE\]/);
  const { text } = await stream(router, {}, { authorization: 'Bearer whole', 'x-weir-resume': 'on' });
  assert.match(text, /"one"[^]*"code":"stream_interrupted"\}\}\n\n$/);
  assert.equal(stage.nodes[1].count('/v1/chat/completions'), 1);
});
