import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ResponseStream } from 'openai/lib/responses/ResponseStream';
import { chunk, chunksOf, madeAnswers } from '../../../../test/support/chat-chunks.ts';
import { readResponseEvents } from '../../../../test/support/response-grammar.ts';
import { objectsOf, Objections, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { ResponseTelling } from './telling.ts';

const asked = { model: 'llama3', input: 'hi', temperature: 0.5, metadata: { a: 'b' } };

function told(chunks: readonly Json[]): Json[] {
  const telling = new ResponseTelling(asked);
  return [...chunks.flatMap((one) => telling.event(one)), ...telling.end(null)];
}

function itemsOf(response: Json): Json[] {
  return objectsOf(response['output'], 'output', new Objections('', '')).map(([item]) => item);
}

test('a stream of reasoning and a call is told in items', () => {
  const response = readResponseEvents(told(chunksOf('vllm-tools.sse')));
  const id = '1c3d7b0a4f2f4f7c9f5f2b0f6a8e9d10';
  assert.deepEqual(response['output'], [
    {
      id: `rs_${id}_0`,
      type: 'reasoning',
      status: 'completed',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Look it up.' }],
      encrypted_content: null,
    },
    {
      id: `fc_${id}_1`,
      type: 'function_call',
      status: 'completed',
      call_id: 'chatcmpl-tool-5f0c',
      name: 'weather',
      arguments: '{"city": "Kyoto"}',
    },
  ]);
  assert.deepEqual(
    [response['id'], response['status'], response['created_at']],
    [`resp_${id}`, 'completed', 1_767_225_600],
  );
});

test('a response tells its settings back, and that nothing is stored', () => {
  const response = readResponseEvents(told(chunksOf('llamacpp-chat.sse')));
  const { model, temperature, metadata, store, instructions, tools } = response;
  assert.deepEqual(
    { model, temperature, metadata, store, instructions, tools },
    { model: 'llama3', temperature: 0.5, metadata: { a: 'b' }, store: false, instructions: null, tools: [] },
  );
  assert.deepEqual(response['usage'], {
    input_tokens: 21,
    input_tokens_details: { cached_tokens: 17 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 30,
  });
});

test('an answer without anything in it is a response without items', () => {
  const response = readResponseEvents(told([chunk({ role: 'assistant', content: '' }), chunk({}, 'stop')]));
  assert.deepEqual([response['status'], response['output']], ['completed', []]);
});

test('an answer that was cut is incomplete, and so is its last item', () => {
  for (const [finish, reason] of [
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ] as const) {
    const response = readResponseEvents(
      told([chunk({ reasoning: 'Hm.' }), chunk({ content: 'x' }), chunk({}, finish)]),
    );
    assert.deepEqual([response['status'], response['incomplete_details']], ['incomplete', { reason }]);
    assert.deepEqual(
      itemsOf(response).map(({ status }) => status),
      ['completed', 'incomplete'],
    );
  }
});

test('a refusal is a part of its own', () => {
  const [item] = itemsOf(readResponseEvents(told([chunk({ refusal: 'No.' }), chunk({}, 'stop')])));
  assert.deepEqual(item?.['content'], [{ type: 'refusal', refusal: 'No.' }]);
});

test('a whole answer has the items that its stream has', () => {
  fc.assert(
    fc.property(madeAnswers, ({ reasoning, text, calls }) => {
      const message = {
        role: 'assistant',
        reasoning_content: reasoning,
        content: text,
        tool_calls: calls.map(({ id, name, arguments: args }, index) => ({
          index,
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
      };
      const head = { id: 'chatcmpl-1', created: 1 };
      const usage = { prompt_tokens: 1, completion_tokens: 2 };
      const whole = new ResponseTelling(asked).whole({
        ...head,
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage,
      });
      const chunks = [
        { ...head, choices: [{ index: 0, delta: message, finish_reason: 'stop' }] },
        { choices: [], usage },
      ];
      assert.deepEqual(whole, readResponseEvents(told(chunks)));
    }),
  );
});

test('what is no completion is no response', () => {
  for (const answer of [{}, { choices: [] }, { choices: [{ index: 0 }] }]) {
    assert.equal(new ResponseTelling(asked).whole(answer), null);
  }
});

test('an answer cut and mixed in any way is a valid stream that tells all of it', () => {
  fc.assert(
    fc.property(madeAnswers, ({ text, calls, chunks }) => {
      const items = itemsOf(readResponseEvents(told(chunks)));
      const uses = items.flatMap((item) =>
        item['type'] === 'function_call'
          ? [{ id: item['call_id'], name: item['name'], arguments: item['arguments'] }]
          : [],
      );
      assert.deepEqual(uses.toSorted(byId), calls.toSorted(byId));
      const messages = items.filter(({ type }) => type === 'message');
      assert.equal(messages.map(textOfMessage).join(''), text);
    }),
  );
});

test("OpenAI's own client puts the stream together", async () => {
  await fc.assert(
    fc.asyncProperty(madeAnswers, async ({ text, calls, chunks }) => {
      const lines = told(chunks).map((event) => `${JSON.stringify(event)}\n`);
      const bytes = ReadableStream.from(lines.map((line) => new TextEncoder().encode(line)));
      const response = await ResponseStream.fromReadableStream(bytes).finalResponse();
      assert.equal(response.output_text, text);
      const names = response.output.flatMap((item) => (item.type === 'function_call' ? [item.name] : []));
      assert.deepEqual(names.toSorted(), calls.map(({ name }) => name).toSorted());
      assert.equal(response.usage?.total_tokens, 37);
    }),
    { numRuns: 30 },
  );
});

function textOfMessage(item: Json): string {
  return objectsOf(item['content'], 'content', new Objections('', ''))
    .map(([part]) => textOf(part['text']))
    .join('');
}

function byId(a: { readonly id?: unknown }, b: { readonly id?: unknown }): number {
  return textOf(a.id).localeCompare(textOf(b.id));
}

const tools = [
  { type: 'namespace', name: 'agents', description: '', tools: [{ type: 'function', name: 'wait' }] },
  { type: 'custom', name: 'patch' },
];

function callsOf(...calls: readonly (readonly [string, string])[]): Json[] {
  const deltas = calls.map(([name, written], index) => ({
    index,
    id: `c${index}`,
    function: { name, arguments: written },
  }));
  return [chunk({ tool_calls: deltas }), chunk({}, 'tool_calls')];
}

function kept({ type, namespace, name, call_id: callId, arguments: written, input }: Json): Json {
  return { type, namespace, name, callId, told: written ?? input };
}

test('calls are told as the tools were offered, in a stream and whole', () => {
  const telling = new ResponseTelling({ ...asked, tools });
  const chunks = callsOf(['agents__wait', '{"for":1}'], ['patch', '{"input":"a\\nb"}'], ['plain', '{}']);
  const streamed = readResponseEvents([...chunks.flatMap((one) => telling.event(one)), ...telling.end(null)]);
  const expected = [
    { type: 'function_call', namespace: 'agents', name: 'wait', callId: 'c0', told: '{"for":1}' },
    { type: 'custom_tool_call', namespace: undefined, name: 'patch', callId: 'c1', told: 'a\nb' },
    { type: 'function_call', namespace: undefined, name: 'plain', callId: 'c2', told: '{}' },
  ];
  assert.deepEqual(itemsOf(streamed).map(kept), expected);
  const calls = [
    { id: 'c0', type: 'function', function: { name: 'agents__wait', arguments: '{"for":1}' } },
    { id: 'c1', type: 'function', function: { name: 'patch', arguments: '{"input":"a\\nb"}' } },
    { id: 'c2', type: 'function', function: { name: 'plain', arguments: '{}' } },
  ];
  const message = { role: 'assistant', content: null, tool_calls: calls };
  const whole = new ResponseTelling({ ...asked, tools }).whole({
    id: 'x',
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
  });
  assert.ok(whole);
  assert.deepEqual(itemsOf(whole).map(kept), expected);
});

test('what a model wrote for a tool of free text is told even where it is no object', () => {
  const telling = new ResponseTelling({ ...asked, tools });
  const chunks = callsOf(['patch', 'just text']);
  const response = readResponseEvents([...chunks.flatMap((one) => telling.event(one)), ...telling.end(null)]);
  assert.equal(itemsOf(response)[0]?.['input'], 'just text');
});
