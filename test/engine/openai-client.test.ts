import assert from 'node:assert/strict';
import { engineTest, openai, untilIdle } from './stage.ts';

const messages = [{ role: 'user' as const, content: 'where does my request go' }];

engineTest('the official client gets a chat answer', async ({ engine, weirBefore }) => {
  const client = openai(await weirBefore([await engine()]));
  const answer = await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 6, temperature: 0 });
  assert.equal(answer.model, 'tiny');
  assert.equal(answer.choices[0]?.finish_reason, 'length');
  assert.match(answer.choices[0]?.message.content ?? '', /^ ?a router holds each request until$/);
  assert.equal(answer.usage?.completion_tokens, 6);
});

engineTest('the official client streams a chat answer', async ({ engine, weirBefore }) => {
  const client = openai(await weirBefore([await engine()]));
  const stream = await client.chat.completions.create({
    model: 'tiny',
    messages,
    max_tokens: 6,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  });
  let content = '';
  let usage = 0;
  for await (const chunk of stream) {
    assert.equal(chunk.model, 'tiny');
    content += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage?.completion_tokens ?? usage;
  }
  assert.match(content, /^ ?a router holds each request until$/);
  assert.equal(usage, 6);
});

engineTest('the official client streams a plain completion', async ({ engine, weirBefore }) => {
  const client = openai(await weirBefore([await engine()]));
  const stream = await client.completions.create({
    model: 'tiny',
    prompt: 'a router',
    max_tokens: 4,
    temperature: 0,
    stream: true,
  });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
  assert.equal(text, ' holds each request until');
});

engineTest('the official client lists and finds models', async ({ engine, weirBefore }) => {
  const client = openai(await weirBefore([await engine(), await engine({ model: 'vendor/other:8b' })]));
  const names: string[] = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names.toSorted(), ['tiny', 'vendor/other:8b']);
  const found = await client.models.retrieve('vendor/other:8b');
  assert.equal(found.id, 'vendor/other:8b');
  assert.equal(found.object, 'model');
});

engineTest(
  'the official client gets embeddings, as numbers from its default base64',
  async ({ engine, weirBefore }) => {
    const client = openai(await weirBefore([await engine({ embeddings: true })]));
    const { data, usage } = await client.embeddings.create({
      model: 'tiny',
      input: ['a router', 'some node has room'],
    });
    assert.equal(data.length, 2);
    for (const { embedding } of data) {
      const length = Math.hypot(...embedding);
      assert.ok(Math.abs(length - 1) < 1e-3, `its length is ${length}`);
    }
    assert.notDeepEqual(data[0]?.embedding, data[1]?.embedding);
    assert.ok(usage.prompt_tokens > 0);
  },
);

engineTest('the official client aborts a stream, and the router is idle again', async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine({ layers: 24, ctx: 4096 })]);
  const stream = await openai(weir).chat.completions.create({
    model: 'tiny',
    messages,
    max_tokens: 100_000,
    temperature: 0,
    stream: true,
  });
  let tokens = 0;
  for await (const { choices } of stream) if (choices.length > 0 && ++tokens === 5) stream.controller.abort();
  assert.ok(tokens < 100);
  await untilIdle(weir);
});
