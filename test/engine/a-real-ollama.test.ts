import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import { ensureOllama } from '../../tools/engine/ollama.ts';
import { ollamaCommand, startOllama, type RunningOllama } from '../../tools/engine/start-ollama.ts';
import { startWeir, type Weir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';
import { openai, readMetric, untilIdle } from './stage.ts';

const hello = [{ role: 'user' as const, content: 'where does my request go' }];

interface Stage {
  readonly command: string;
  readonly node: RunningOllama;
  readonly weir: Weir;
}

/** A test with a router before a real Ollama that has the model `tiny`. */
function ollamaTest(name: string, play: (stage: Stage) => Promise<void>, layers = 2): void {
  test(name, { timeout: 240_000 }, async (t) => {
    const program = await ensureOllama(false);
    if ('absent' in program) {
      assert.notEqual(process.env['WEIR_REQUIRE_OLLAMA'], '1', `Ollama is required, but ${program.absent}`);
      t.skip(`no Ollama: ${program.absent}`);
      return;
    }
    await using ends = new AsyncDisposableStack();
    const node = await startOllama(program.command, ['tiny'], layers);
    ends.defer(() => node.close());
    const weir = await startWeir({ nodes: [{ name: 'secret-node', url: node.url }] });
    ends.defer(async () => void (await weir.stop()));
    t.diagnostic(`Ollama ${program.version}`);
    await play({ command: program.command, node, weir });
  });
}

ollamaTest('its own client has lists, chats, texts and vectors through the router', async ({ node, weir }) => {
  const client = new Ollama({ host: weir.url });
  const here = await client.list();
  const there = await new Ollama({ host: node.url }).list();
  const told = ({ models }: typeof here): unknown => models.map(({ name, size, digest }) => [name, size, digest]);
  assert.deepEqual(told(here), told(there));
  const shown = await client.show({ model: 'tiny' });
  assert.equal(shown.details.family, 'llama');
  assert.doesNotMatch(JSON.stringify(shown), /\/tmp\/|blobs|secret-node|127\.0\.0\.1/);

  const options = { num_predict: 8, temperature: 0 };
  const whole = await client.chat({ model: 'tiny', messages: hello, options });
  let streamed = '';
  for await (const part of await client.chat({ model: 'tiny', messages: hello, options, stream: true })) {
    streamed += part.message.content;
    if (part.done) assert.deepEqual([part.done_reason, part.eval_count], ['length', 8]);
  }
  assert.ok(whole.message.content.length > 10);
  assert.equal(streamed, whole.message.content);
  const text = await client.generate({ model: 'tiny', prompt: 'one request', options });
  assert.equal(text.eval_count, 8);
  const { embeddings } = await client.embed({ model: 'tiny', input: ['one', 'two'] });
  assert.deepEqual([embeddings.length, embeddings[0]?.length], [2, 512]);
  const { models } = await client.ps();
  assert.deepEqual(
    models.map(({ name }) => name),
    ['tiny:latest'],
  );
  await assert.rejects(client.chat({ model: 'nobody', messages: hello }), { status_code: 404 });
});

ollamaTest('its own command line takes the router for an Ollama', async ({ command, weir }) => {
  const weirHost = weir.url;
  assert.match(await ollamaCommand(command, weirHost, ['list']), /tiny:latest +[0-9a-f]{12} +\d+ MB/);
  assert.match(await ollamaCommand(command, weirHost, ['show', 'tiny']), /architecture +llama/);
  assert.match(
    await ollamaCommand(command, weirHost, ['run', 'tiny', 'where does my request go']),
    /router|request|node/,
  );
  assert.match(await ollamaCommand(command, weirHost, ['ps']), /tiny:latest/);
  await assert.rejects(ollamaCommand(command, weirHost, ['pull', 'qwen']), /an administrator can/);
});

ollamaTest("OpenAI's and Anthropic's clients are served by it", async ({ weir }) => {
  const chat = await openai(weir).chat.completions.create({
    model: 'tiny',
    messages: hello,
    temperature: 0,
    max_tokens: 8,
  });
  const text = chat.choices[0]?.message.content ?? '';
  assert.deepEqual([text.length > 10, chat.usage?.completion_tokens], [true, 8]);
  const response = await openai(weir).responses.create({
    model: 'tiny',
    input: hello[0]?.content ?? '',
    temperature: 0,
    max_output_tokens: 8,
  });
  assert.equal(response.output_text, text);
  const anthropic = new Anthropic({ baseURL: weir.url, apiKey: 'none', maxRetries: 0 });
  const ask = { model: 'tiny', max_tokens: 8, temperature: 0, messages: hello };
  const message = await anthropic.messages.stream(ask).finalMessage();
  assert.deepEqual(message.content, [{ type: 'text', text }]);
  assert.equal(message.stop_reason, 'max_tokens');
  const counted = await anthropic.messages.countTokens({ model: 'tiny', messages: hello });
  assert.ok(counted.input_tokens > 0);
});

const endless = { model: 'tiny', messages: hello, max_tokens: 100_000, stream: true as const };

ollamaTest(
  'a client that leaves stops it, and one whose Ollama is killed is told',
  async ({ node, weir }) => {
    const leaving = await openai(weir).chat.completions.create(endless);
    await leaving[Symbol.asyncIterator]().next();
    leaving.controller.abort();
    await untilIdle(weir);
    const broken = await openai(weir).chat.completions.create(endless);
    await assert.rejects(async () => {
      let text = '';
      for await (const { choices } of broken) {
        text += choices[0]?.delta.content ?? '';
        if (text.length > 20) node.kill();
      }
    }, /middle of the answer/);
    await untilIdle(weir);
    await until(async () => (await readMetric(weir, 'weir_waiters')) === 0, { what: 'nobody to wait' });
  },
  24,
);
