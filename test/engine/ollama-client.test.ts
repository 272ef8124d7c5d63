import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import type { Weir } from '../support/start-weir.ts';
import { engineTest, untilIdle } from './stage.ts';

const messages = [{ role: 'user', content: 'where does my request go' }];
const options = { num_predict: 6, temperature: 0, num_ctx: 4096 };
const request = { model: 'tiny', messages, options };

function ollama(weir: Weir): Ollama {
  return new Ollama({ host: weir.url });
}

engineTest("Ollama's client gets a chat answer with the engine's own speed", async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine()]);
  const answer = await ollama(weir).chat(request);
  assert.match(answer.message.content, /^ ?a router holds each request until$/);
  assert.deepEqual([answer.model, answer.done, answer.done_reason, answer.eval_count], ['tiny', true, 'length', 6]);
  assert.ok(answer.prompt_eval_count > 0);
  assert.ok(answer.eval_duration > 0 && answer.total_duration >= answer.eval_duration);
  assert.ok(Math.abs(Date.now() - new Date(answer.created_at).getTime()) < 60_000, String(answer.created_at));
  await untilIdle(weir);
});

engineTest("Ollama's client streams a chat and a prompt", async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine()]);
  const client = ollama(weir);
  let content = '';
  let pieces = 0;
  for await (const { message, done, eval_count: count } of await client.chat({ ...request, stream: true })) {
    content += message.content;
    pieces += 1;
    if (done) assert.equal(count, 6);
  }
  assert.match(content, /^ ?a router holds each request until$/);
  assert.ok(pieces > 3, `it came in ${pieces} pieces`);
  let raw = '';
  const prompt = { model: 'tiny', prompt: 'a router', raw: true, options: { ...options, num_predict: 4 } };
  for await (const { response } of await client.generate({ ...prompt, stream: true })) raw += response;
  assert.equal(raw, ' holds each request until');
  const cooked = await client.generate({ ...prompt, raw: false, system: 'be short' });
  assert.ok((cooked.response ?? '').length > 0);
  await untilIdle(weir);
});

engineTest("Ollama's client has a tool called, and gives back its result", async ({ engine, weirBefore }) => {
  const client = ollama(await weirBefore([await engine({ ctx: 2048 })]));
  const properties = { node: { type: 'string', enum: ['gpu', 'cpu'] } };
  const parameters = { type: 'object', properties, required: ['node'] };
  const tools = [{ type: 'function', function: { name: 'read_load', description: 'How busy a node is', parameters } }];
  const question = { role: 'user', content: 'is there room' };
  const asked = { model: 'tiny', tools, options: { temperature: 0, num_predict: 100 } };
  let call: { name: string; arguments: Record<string, unknown> } | undefined;
  const stream = await client.chat({ ...asked, messages: [question], stream: true });
  for await (const { message } of stream) call ??= message.tool_calls?.[0]?.function;
  assert.equal(call?.name, 'read_load');
  assert.ok(['gpu', 'cpu'].includes(String(call.arguments['node'])), JSON.stringify(call));
  const told = await client.chat({
    ...asked,
    messages: [
      question,
      { role: 'assistant', content: '', tool_calls: [{ function: call }] },
      { role: 'tool', tool_name: 'read_load', content: '3 of 4 slots are taken' },
    ],
  });
  assert.match(told.message.content, /router/);
});

engineTest("Ollama's client gets JSON after a schema, embeddings and a description", async ({ engine, weirBefore }) => {
  const client = ollama(
    await weirBefore([await engine({ ctx: 2048 }), await engine({ model: 'vectors', embeddings: true })]),
  );
  const format = { type: 'object', properties: { n: { type: 'integer', enum: [1, 2] } }, required: ['n'] };
  const structured = await client.chat({ ...request, format, options: { num_predict: 60 } });
  assert.match(structured.message.content, /^\s*\{\s*"n"\s*:\s*[12]\s*\}\s*$/);
  const { embeddings } = await client.embed({ model: 'vectors', input: ['a router', 'a node'] });
  assert.deepEqual([embeddings.length, embeddings[0]?.length === embeddings[1]?.length], [2, true]);
  assert.ok((embeddings[0]?.length ?? 0) > 8);
  const { embedding } = await client.embeddings({ model: 'vectors', prompt: 'a router' });
  assert.equal(embedding.length, embeddings[0]?.length);
  const shown = await client.show({ model: 'tiny' });
  assert.deepEqual(shown.capabilities, ['completion']);
});

engineTest('a model is loaded on request, and what cannot be said is told', async ({ engine, weirBefore }) => {
  const client = ollama(await weirBefore([await engine()]));
  const loaded = await client.chat({ model: 'tiny', messages: [], keep_alive: '5m' });
  assert.deepEqual([loaded.done_reason, loaded.message.content], ['load', '']);
  const wrong = client.generate({ model: 'tiny', prompt: 'a', suffix: 'b' });
  await assert.rejects(wrong, /suffix cannot be told/);
  const long = client.chat({ ...request, messages: [{ role: 'user', content: 'where '.repeat(3000) }], stream: true });
  await assert.rejects(long, /context|exceed|token/i);
});
