import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream';
import fc from 'fast-check';
import { chunk, chunksOf, madeAnswers } from '../../../../test/support/chat-chunks.ts';
import { readMessageEvents } from '../../../../test/support/message-grammar.ts';
import { textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { MessageTelling, type Wanted } from './telling.ts';

const wanted: Wanted = { model: 'llama3', stopTexts: ['END'], hidesThinking: false };

function told(chunks: readonly Json[], asked = wanted): Json[] {
  const telling = new MessageTelling(asked);
  return [...chunks.flatMap((one) => telling.event(one)), ...telling.end(null)];
}

function callPiece(index: number, args: string, name?: string): Json {
  return chunk({ tool_calls: [{ index, id: name, function: { name, arguments: args } }] });
}

function namedCall(id: string, more: object = {}): Json {
  return { id, function: { name: id, arguments: '{}' }, ...more };
}

function typesAndIndexes(events: readonly Json[]): unknown[] {
  return events.map(({ type, index }) => [type, index]);
}

test('a stream of reasoning and a call is told in blocks', () => {
  const message = readMessageEvents(told(chunksOf('vllm-tools.sse')));
  assert.deepEqual(message.content, [
    { type: 'thinking', thinking: 'Look it up.' },
    { type: 'tool_use', id: 'chatcmpl-tool-5f0c', name: 'weather', json: '{"city": "Kyoto"}' },
  ]);
  assert.equal(message.stopReason, 'tool_use');
  assert.equal(message.head['model'], 'llama3');
  assert.equal(message.head['id'], 'msg_1c3d7b0a4f2f4f7c9f5f2b0f6a8e9d10');
});

test('what was used comes from the last chunk, what was cached apart', () => {
  const message = readMessageEvents(told(chunksOf('llamacpp-chat.sse')));
  assert.deepEqual(message.content, [
    { type: 'text', text: 'The server says "model":"x" at http://10.0.0.5:8000 – ünï😀.' },
  ]);
  assert.deepEqual(message.usage, {
    input_tokens: 4,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 17,
    output_tokens: 9,
  });
});

test('what the router counted stands in where the node says nothing', () => {
  const telling = new MessageTelling(wanted);
  telling.event(chunk({ content: 'x' }));
  const usage = { promptTokens: 5, completionTokens: 2, cachedTokens: null, estimated: true };
  const [, delta] = telling.end(usage);
  assert.deepEqual(delta?.['usage'], {
    input_tokens: 5,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 2,
  });
});

test('every field of a delta may be there and null', () => {
  const message = readMessageEvents(told(chunksOf('sglang-chat.sse')));
  assert.deepEqual(
    message.content.map(({ type }) => type),
    ['thinking', 'text'],
  );
});

test('an answer without anything in it is a message without content', () => {
  const message = readMessageEvents(told([chunk({ role: 'assistant', content: '' }), chunk({}, 'stop')]));
  assert.deepEqual([message.content, message.stopReason], [[], 'end_turn']);
});

test('text is told as it comes, before the answer ends', () => {
  const telling = new MessageTelling(wanted);
  assert.deepEqual(
    telling.event(chunk({ role: 'assistant', content: 'Hi' })).map(({ type }) => type),
    ['message_start', 'content_block_start', 'content_block_delta'],
  );
  assert.deepEqual(telling.event(chunk({ role: 'assistant', content: ' you' })), [
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' you' } },
  ]);
});

test('a call after a whole one is told at once, a piece of a later call waits for the one before', () => {
  const telling = new MessageTelling(wanted);
  telling.event(callPiece(0, '{"a":', 'one'));
  assert.deepEqual(telling.event(callPiece(1, '{"b":', 'two')), []);
  assert.deepEqual(typesAndIndexes(telling.event(callPiece(0, '1}'))), [
    ['content_block_delta', 0],
    ['content_block_stop', 0],
    ['content_block_start', 1],
    ['content_block_delta', 1],
  ]);
  assert.deepEqual(typesAndIndexes(telling.event(callPiece(1, '2}'))), [['content_block_delta', 1]]);
  assert.deepEqual(typesAndIndexes(telling.event(callPiece(2, '{}', 'three'))), [
    ['content_block_stop', 1],
    ['content_block_start', 2],
    ['content_block_delta', 2],
  ]);
});

test('calls that servers number badly or not at all stay apart', () => {
  for (const calls of [
    [{ tool_calls: [namedCall('a'), namedCall('b')] }],
    [{ tool_calls: [namedCall('a', { index: 0 })] }, { tool_calls: [namedCall('b', { index: 0 })] }],
  ]) {
    const { content } = readMessageEvents(told(calls.map((delta) => chunk(delta))));
    assert.deepEqual(
      content.map(({ id, json }) => [id, json]),
      [
        ['a', '{}'],
        ['b', '{}'],
      ],
    );
  }
});

function bare(name: string, text: string): object {
  return { index: 0, id: '', function: { name, arguments: text } };
}

test('calls without ids are told apart by a name after arguments that are whole', () => {
  const calls = [bare('one', '{"a":'), bare('one', '1}'), bare('one', ''), bare('one', '{"a":2}'), bare('two', '{}')];
  const { content } = readMessageEvents(told(calls.map((call) => chunk({ tool_calls: [call] }))));
  assert.deepEqual(
    content.map(({ name, json }) => [name, json]),
    [
      ['one', '{"a":1}'],
      ['one', '{"a":2}'],
      ['two', '{}'],
    ],
  );
});

test('why it stopped', () => {
  const cases: [string, object, object, unknown[]][] = [
    ['stop', {}, { content: 'x' }, ['end_turn', null]],
    ['stop', { stop_reason: 'END' }, { content: 'x' }, ['stop_sequence', 'END']],
    ['stop', { matched_stop: 'END' }, { content: 'x' }, ['stop_sequence', 'END']],
    ['stop', { matched_stop: 128009 }, { content: 'x' }, ['end_turn', null]],
    ['stop', { stop_reason: 'other' }, { content: 'x' }, ['end_turn', null]],
    ['stop', {}, { tool_calls: [{ index: 0, id: 'a', function: { name: 'a', arguments: '' } }] }, ['tool_use', null]],
    ['length', {}, { content: 'x' }, ['max_tokens', null]],
    ['abort', {}, { content: 'x' }, ['max_tokens', null]],
    ['content_filter', {}, { content: 'x' }, ['refusal', null]],
    ['stop', {}, { refusal: 'No.' }, ['refusal', null]],
  ];
  for (const [finish, more, delta, expected] of cases) {
    const last = { choices: [{ index: 0, delta: {}, finish_reason: finish, ...more }] };
    const message = readMessageEvents(told([chunk(delta), last]));
    assert.deepEqual([message.stopReason, message.stopSequence], expected);
  }
});

test('thinking is left out for a client that asked for none', () => {
  const { content } = readMessageEvents(told(chunksOf('vllm-tools.sse'), { ...wanted, hidesThinking: true }));
  assert.deepEqual(
    content.map(({ type }) => type),
    ['tool_use'],
  );
});

test('a whole answer', () => {
  const answer = new MessageTelling(wanted).whole({
    id: 'chatcmpl-9',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          reasoning: 'Hm.',
          content: 'Looking.',
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'one', arguments: '{"x":1}' } },
            { id: 'b', type: 'function', function: { name: 'two', arguments: '{"x":' } },
          ],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 4 },
  });
  assert.deepEqual(answer, {
    id: 'msg_9',
    type: 'message',
    role: 'assistant',
    model: 'llama3',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: '' },
      { type: 'text', text: 'Looking.' },
      { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
      { type: 'tool_use', id: 'b', name: 'two', input: { INVALID_JSON: '{"x":' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 3, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 4 },
  });
});

test('what is no completion is no message', () => {
  for (const answer of [{}, { choices: [] }, { choices: [{ index: 0 }] }, { object: 'list', data: [] }]) {
    assert.equal(new MessageTelling(wanted).whole(answer), null);
  }
});

test('an answer cut and mixed in any way is a valid stream that tells all of it', () => {
  fc.assert(
    fc.property(madeAnswers, ({ reasoning, text, calls, chunks }) => {
      const { content, usage } = readMessageEvents(told(chunks));
      const joined = (field: string): string => content.map((block) => textOf(block[field])).join('');
      assert.equal(joined('thinking'), reasoning);
      assert.equal(joined('text'), text);
      const uses = content.filter(({ type }) => type === 'tool_use');
      assert.deepEqual(
        uses.map(({ id, name, json }) => ({ id, name, arguments: json })).toSorted(byId),
        calls.toSorted(byId),
      );
      assert.equal(usage['input_tokens'], 20);
    }),
  );
});

test("Anthropic's own client puts the stream together", async () => {
  await fc.assert(
    fc.asyncProperty(madeAnswers, async ({ text, calls, chunks }) => {
      const lines = told(chunks).map((event) => `${JSON.stringify(event)}\n`);
      const bytes = ReadableStream.from(lines.map((line) => new TextEncoder().encode(line)));
      const message = await MessageStream.fromReadableStream(bytes).finalMessage();
      assert.equal(message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), text);
      const inputs = message.content.flatMap((block) => (block.type === 'tool_use' ? [[block.id, block.input]] : []));
      assert.deepEqual(
        Object.fromEntries(inputs),
        Object.fromEntries(calls.map((call) => [call.id, JSON.parse(call.arguments || '{}')])),
      );
      assert.deepEqual(message.usage.input_tokens, 20);
      assert.deepEqual(message.usage.output_tokens, 7);
    }),
    { numRuns: 30 },
  );
});

function byId(a: { readonly id?: unknown }, b: { readonly id?: unknown }): number {
  return String(a.id).localeCompare(String(b.id));
}
