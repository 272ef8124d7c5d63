import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import type { EngineOptions } from './options.ts';
import { startSimulatedEngine } from './simulated-engine.ts';
import { until } from '../../test/support/until.ts';

// The official client is the judge of the wire format.

const FAST: EngineOptions = { timeScale: 50 };
const ASK = { model: 'llama3', messages: [{ role: 'user' as const, content: 'Where does the river go?' }] };
const TOOL = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

function clientOf(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
}

test('the official client reads a whole chat answer, and a stream gives the same text and usage', async () => {
  await using engine = await startSimulatedEngine(FAST);
  const client = clientOf(engine.url);
  const whole = await client.chat.completions.create(ASK);
  const text = whole.choices[0]?.message.content ?? '';
  assert.ok(text.split(' ').length >= 16);
  assert.equal(whole.choices[0]?.finish_reason, 'stop');
  assert.equal(whole.usage?.completion_tokens, text.split(' ').length);

  const stream = await client.chat.completions.create({
    ...ASK,
    stream: true,
    stream_options: { include_usage: true },
  });
  const pieces: string[] = [];
  const finishes: string[] = [];
  let usage: unknown = null;
  for await (const chunk of stream) {
    pieces.push(chunk.choices[0]?.delta.content ?? '');
    if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
    if (chunk.usage) usage = chunk.usage;
  }
  assert.equal(pieces.join(''), text);
  assert.deepEqual(finishes, ['stop']);
  assert.deepEqual(usage, whole.usage);
});

test('max_tokens cuts an answer and n gives that many choices', async () => {
  await using engine = await startSimulatedEngine(FAST);
  const answer = await clientOf(engine.url).chat.completions.create({ ...ASK, max_tokens: 3, n: 2 });
  assert.deepEqual(
    answer.choices.map(({ finish_reason }) => finish_reason),
    ['length', 'length'],
  );
  assert.notEqual(answer.choices[0]?.message.content, answer.choices[1]?.message.content);
  assert.equal(answer.usage?.completion_tokens, 6);
});

test('tools are called when asked for, streamed and whole, and not after their result', async () => {
  await using engine = await startSimulatedEngine(FAST);
  const client = clientOf(engine.url);
  const whole = await client.chat.completions.create({ ...ASK, tools: [TOOL], tool_choice: 'required' });
  const call = whole.choices[0]?.message.tool_calls?.[0];
  assert.ok(call?.type === 'function');
  assert.equal(call.function.name, 'get_weather');
  assert.equal(typeof Object(JSON.parse(call.function.arguments)).city, 'string');
  assert.equal(whole.choices[0]?.finish_reason, 'tool_calls');

  const runner = client.chat.completions.stream({ ...ASK, tools: [TOOL], tool_choice: 'required' });
  const streamed = (await runner.finalMessage()).tool_calls?.[0];
  assert.ok(streamed?.type === 'function');
  assert.equal(streamed.function.arguments, call.function.arguments);

  const result = { role: 'tool' as const, tool_call_id: call.id, content: 'sunny' };
  const messages = [...ASK.messages, { role: 'assistant' as const, tool_calls: [call] }, result];
  const after = await client.chat.completions.create({ model: 'llama3', messages, tools: [TOOL] });
  assert.equal(after.choices[0]?.finish_reason, 'stop');
});

test('embeddings are the same in the base64 form the client asks for and as plain numbers', async () => {
  await using engine = await startSimulatedEngine({ ...FAST, embeddingSize: 8 });
  const client = clientOf(engine.url);
  const packed = await client.embeddings.create({ model: 'llama3', input: ['a', 'b'] });
  const plain = await client.embeddings.create({ model: 'llama3', input: ['a', 'b'], encoding_format: 'float' });
  assert.deepEqual(
    packed.data.map(({ embedding }) => embedding.length),
    [8, 8],
  );
  packed.data.forEach(({ embedding }, index) => {
    embedding.forEach((value, at) => assert.ok(Math.abs(value - (plain.data[index]?.embedding[at] ?? NaN)) < 1e-6));
  });
});

test('models are listed and text completions stream', async () => {
  await using engine = await startSimulatedEngine({ ...FAST, models: ['org/a', 'b'] });
  const client = clientOf(engine.url);
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    ['org/a', 'b'],
  );
  assert.equal((await client.models.retrieve('org/a')).id, 'org/a');
  const stream = await client.completions.create({ model: 'b', prompt: 'say: one two three', stream: true });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
  assert.equal(text, 'one two three');
});

test('errors reach the client as its own error classes', async () => {
  await using engine = await startSimulatedEngine({ ...FAST, contextTokens: 20, apiKey: 'right' });
  const client = new OpenAI({ baseURL: `${engine.url}/v1`, apiKey: 'right', maxRetries: 0 });
  await assert.rejects(client.chat.completions.create({ ...ASK, model: 'other' }), OpenAI.NotFoundError);
  const long = { role: 'user' as const, content: 'word '.repeat(100) };
  await assert.rejects(client.chat.completions.create({ ...ASK, messages: [long] }), /maximum context length is 20/);
  await assert.rejects(client.chat.completions.create({ ...ASK, messages: [] }), OpenAI.BadRequestError);
  await assert.rejects(clientOf(engine.url).models.list(), OpenAI.AuthenticationError);
});

test('a client that leaves frees its slot at once, streaming or not, running or waiting', async () => {
  await using engine = await startSimulatedEngine({ slots: 1, stepMs: 5, outputTokens: { min: 5000, max: 5000 } });
  const client = clientOf(engine.url);
  const stream = await client.chat.completions.create({ ...ASK, stream: true });
  const leaving = new AbortController();
  const waiting = client.chat.completions.create(ASK, { signal: leaving.signal });
  await until(() => engine.stats().waiting === 1, { what: 'the second request to wait in the engine' });
  leaving.abort();
  await assert.rejects(waiting, OpenAI.APIUserAbortError);
  await until(() => engine.stats().waiting === 0, { what: 'the waiting request to leave' });
  const whole = client.chat.completions.create(ASK, { signal: AbortSignal.timeout(60_000) });
  whole.catch(() => undefined);
  await until(() => engine.stats().waiting === 1, { what: 'the third request to wait' });
  stream.controller.abort();
  await until(() => engine.stats().waiting === 0 && engine.stats().running === 1, {
    what: 'the third to get the slot',
  });
  assert.equal(engine.stats().cancelled, 2);
});
