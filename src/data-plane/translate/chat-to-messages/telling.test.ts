import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { madeAnswers } from '../../../../test/support/chat-chunks.ts';
import { readStream } from '../../../../test/support/streams.ts';
import { MessageTelling } from '../messages-to-chat/telling.ts';
import { objectOf, objectsOf, Objections, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { ChatTelling } from './telling.ts';

const asked = { model: 'claude', includesUsage: true, createdAt: 7 };
const usage = {
  prompt_tokens: 128,
  completion_tokens: 15,
  total_tokens: 143,
  prompt_tokens_details: { cached_tokens: 100 },
};

function told(events: readonly Json[], includesUsage = true): Json[] {
  const telling = new ChatTelling({ ...asked, includesUsage });
  return [...events.flatMap((event) => telling.event(event)), ...telling.end(null)];
}

function choicesOf(chunks: readonly Json[]): unknown[] {
  return chunks.flatMap((chunk) => {
    const [choice] = objectsOf(chunk['choices'], 'choices', new Objections('', ''));
    return choice ? [[choice[0]['delta'], choice[0]['finish_reason']]] : [];
  });
}

function reasoningOf(chunks: readonly Json[]): string {
  return choicesOf(chunks)
    .map((choice) => (Array.isArray(choice) ? textOf(objectOf(choice[0])?.['reasoning_content']) : ''))
    .join('');
}

function piece(index: number, args: string): Json {
  return { tool_calls: [{ index, function: { arguments: args } }] };
}

function block(start: Json, deltas: readonly Json[]): Json[] {
  return [
    { type: 'content_block_start', index: 0, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
  ];
}

test("Anthropic's stream is told in chunks", () => {
  const events = readStream('anthropic-messages.sse')
    .toString()
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [objectOf(JSON.parse(line.slice(6))) ?? {}] : []));
  const chunks = told(events);
  assert.deepEqual(choicesOf(chunks), [
    [{ role: 'assistant', content: '' }, null],
    [{ content: 'Hello' }, null],
    [{ content: '!' }, null],
    [{}, 'stop'],
  ]);
  const head = { id: 'chatcmpl-msg_01XFD', object: 'chat.completion.chunk', created: 7, model: 'claude' };
  assert.deepEqual(chunks.at(-1), { ...head, choices: [], usage });
  assert.equal(told(events, false).length, chunks.length - 1, 'no usage for a client that did not ask for it');
});

test('thinking, and calls with and without arguments', () => {
  const events = [
    { type: 'message_start', message: { id: 'm' } },
    ...block({ type: 'thinking', thinking: '' }, [
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'signature_delta', signature: 'x' },
    ]),
    ...block({ type: 'tool_use', id: 'a', name: 'one', input: {} }, [
      { type: 'input_json_delta', partial_json: '' },
      { type: 'input_json_delta', partial_json: '{"x":' },
      { type: 'input_json_delta', partial_json: '1}' },
    ]),
    ...block({ type: 'tool_use', id: 'b', name: 'two', input: {} }, []),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 3 } },
    { type: 'message_stop' },
  ];
  assert.deepEqual(choicesOf(told(events)), [
    [{ role: 'assistant', content: '' }, null],
    [{ reasoning_content: 'Hm.' }, null],
    [{ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '' } }] }, null],
    [piece(0, '{"x":'), null],
    [piece(0, '1}'), null],
    [{ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'two', arguments: '' } }] }, null],
    [piece(1, '{}'), null],
    [{}, 'tool_calls'],
  ]);
});

test('why it stopped', () => {
  for (const [reason, finish] of [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
  ]) {
    const chunks = told([{ type: 'message_delta', delta: { stop_reason: reason } }], false);
    assert.deepEqual(choicesOf(chunks), [[{}, finish]]);
  }
});

test('a whole answer', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 'x' },
    { type: 'text', text: 'Look' },
    { type: 'text', text: 'ing.' },
    { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
  ];
  const counts = { input_tokens: 25, cache_creation_input_tokens: 3, cache_read_input_tokens: 100, output_tokens: 15 };
  const answer = { id: 'msg_1', type: 'message', role: 'assistant', content, stop_reason: 'tool_use', usage: counts };
  assert.deepEqual(new ChatTelling(asked).whole(answer), {
    id: 'chatcmpl-msg_1',
    object: 'chat.completion',
    created: 7,
    model: 'claude',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Looking.',
          refusal: null,
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'one', arguments: '{"x":1}' } }],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage,
  });
  assert.equal(new ChatTelling(asked).whole({ type: 'error' }), null);
});

test('what is told in both directions comes back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(madeAnswers, async ({ reasoning, text, calls, chunks }) => {
      const there = new MessageTelling({ model: 'm', stopTexts: [], hidesThinking: false });
      const back = told([...chunks.flatMap((chunk) => there.event(chunk)), ...there.end(null)]);
      const lines = back.map((chunk) => `${JSON.stringify(chunk)}\n`);
      const bytes = ReadableStream.from(lines.map((line) => new TextEncoder().encode(line)));
      const completion = await ChatCompletionStream.fromReadableStream(bytes).finalChatCompletion();
      const [choice] = completion.choices;
      assert.equal(choice?.message.content ?? '', text);
      assert.equal(reasoningOf(back), reasoning);
      assert.equal(choice?.finish_reason, calls.length > 0 ? 'tool_calls' : 'stop');
      const made = calls.map((call) => ({ ...call, arguments: call.arguments || '{}' }));
      const got = (choice?.message.tool_calls ?? []).flatMap((call) =>
        call.type === 'function' ? [{ id: call.id, name: call.function.name, arguments: call.function.arguments }] : [],
      );
      assert.deepEqual(got.toSorted(byId), made.toSorted(byId));
      assert.deepEqual([completion.usage?.prompt_tokens, completion.usage?.completion_tokens], [30, 7]);
    }),
    { numRuns: 50 },
  );
});

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id.localeCompare(b.id);
}
