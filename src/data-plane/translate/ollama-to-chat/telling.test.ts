import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readStream } from '../../../../test/support/streams.ts';
import { chunk, eventsOf, streamed, translated } from '../../../../test/support/translate.ts';
import { objectOf, textOf } from '../rules.ts';
import type { AnswerTranslation, Json } from '../translation.ts';
import { ollamaChatToChat } from './chat.ts';

const model = 'llama3';
const created = { model, created_at: '2026-01-01T00:00:00.000Z' };

function answer(): AnswerTranslation {
  return translated(ollamaChatToChat, { model, messages: [{ role: 'user', content: 'hello' }] }).answer();
}

function messageOf(told: Json): Json {
  const message = objectOf(told['message']);
  assert.ok(message);
  return message;
}

function callsOf(told: readonly Json[]): unknown[] {
  return told.flatMap((one): unknown => messageOf(one)['tool_calls'] ?? []);
}

const joined = (told: readonly Json[], field: string): string =>
  told.map((one) => textOf(messageOf(one)[field])).join('');

const emptyCall = (id: string, name: string): Json => ({ index: 0, id, function: { name, arguments: '{}' } });

test('a stream of llama.cpp is told piece by piece, with its own durations and counts at the end', () => {
  const told = streamed(answer(), eventsOf(readStream('llamacpp-chat-timings.sse')));
  assert.deepEqual(told[0], { ...created, message: { role: 'assistant', content: 'The' }, done: false });
  const last = told.at(-1) ?? {};
  assert.deepEqual([last['done'], last['done_reason'], last['load_duration']], [true, 'stop', 0]);
  assert.deepEqual(last['message'], { role: 'assistant', content: '' });
  for (const count of ['prompt_eval_count', 'prompt_eval_duration', 'eval_count', 'eval_duration', 'total_duration']) {
    assert.ok(Number(last[count]) > 0, count);
  }
  assert.equal(last['total_duration'], Number(last['prompt_eval_duration']) + Number(last['eval_duration']));
  assert.equal(told.filter(({ done }) => done === true).length, 1);
});

test('reasoning and a tool call in pieces become thinking and one whole call', () => {
  const told = streamed(answer(), eventsOf(readStream('vllm-tools.sse')));
  assert.equal(joined(told, 'thinking'), 'Look it up.');
  const calls = callsOf(told);
  const asked = { index: 0, name: 'weather', arguments: { city: 'Kyoto' } };
  assert.deepEqual(calls, [{ id: 'chatcmpl-tool-5f0c', function: asked }]);
  assert.deepEqual(told.at(-1)?.['done_reason'], 'stop');
});

test('fields that are there and null, as SGLang sends them, are no text', () => {
  const told = streamed(answer(), eventsOf(readStream('sglang-chat.sse')));
  assert.ok(joined(told, 'content').length > 0);
  assert.equal(joined(told, 'thinking'), 'Hm.');
  assert.doesNotMatch(JSON.stringify(told), /null/);
});

test('thinking that was not wanted is not shown, where a model thinks all the same', () => {
  const messages = [{ role: 'user', content: 'hello' }];
  const quiet = translated(ollamaChatToChat, { model, messages, think: false });
  const told = streamed(quiet.answer(), [chunk({ reasoning_content: 'Hm.' }), chunk({ content: 'Hi' }, 'stop')]);
  assert.deepEqual([joined(told, 'thinking'), joined(told, 'content')], ['', 'Hi']);
  const message = { reasoning_content: 'Hm.', content: 'Hi' };
  assert.deepEqual(messageOf(quiet.answer().whole({ choices: [{ message }] }) ?? {}), {
    role: 'assistant',
    content: 'Hi',
  });
});

test('what is refused, and text that comes in parts, is told as text; a cut answer of an engine that failed is cut', () => {
  const parts = [{ type: 'text', text: 'Hi' }];
  const told = streamed(answer(), [chunk({ content: parts }), chunk({ refusal: ' no' }), chunk({}, 'abort')]);
  assert.equal(joined(told, 'content'), 'Hi no');
  assert.equal(told.at(-1)?.['done_reason'], 'length');
});

test('a whole answer is one object', () => {
  const usage = { prompt_tokens: 5, completion_tokens: 4 };
  const calls = [
    { id: 'x', type: 'function', function: { name: 'a', arguments: '{"n":1}' } },
    { id: 'y', type: 'function', function: { name: 'b', arguments: '' } },
  ];
  const message = { role: 'assistant', content: null, reasoning: 'hm', tool_calls: calls };
  const choice = {
    index: 0,
    message,
    finish_reason: 'tool_calls',
    logprobs: { content: [{ token: 'a', logprob: -1 }] },
  };
  assert.deepEqual(answer().whole({ created: 1_767_225_600, model: '/srv/m.gguf', choices: [choice], usage }), {
    ...created,
    message: {
      role: 'assistant',
      content: '',
      thinking: 'hm',
      tool_calls: [
        { id: 'x', function: { index: 0, name: 'a', arguments: { n: 1 } } },
        { id: 'y', function: { index: 1, name: 'b', arguments: {} } },
      ],
    },
    done: true,
    done_reason: 'stop',
    total_duration: 0,
    load_duration: 0,
    prompt_eval_count: 5,
    prompt_eval_duration: 0,
    eval_count: 4,
    eval_duration: 0,
    logprobs: [{ token: 'a', logprob: -1 }],
  });
  assert.equal(answer().whole({ choices: [] }), null);
  assert.equal(answer().whole({ data: [] }), null);
});

test('a cut answer says so, and a call that was cut is told as text', () => {
  const fragment = { index: 0, id: 'x', function: { name: 'weather', arguments: '{"city":"Ky' } };
  const told = streamed(answer(), [chunk({ tool_calls: [fragment] }), chunk({}, 'length')]);
  assert.equal(joined(told, 'content'), 'weather({"city":"Ky');
  assert.equal(told.at(-1)?.['done_reason'], 'length');
});

test('durations are nanoseconds of the milliseconds that the engine tells', () => {
  const timings = { cache_n: 4, prompt_n: 2, prompt_ms: 1.5, predicted_n: 3, predicted_ms: 20.25 };
  const told = answer().whole({ choices: [{ message: { content: 'x' }, finish_reason: 'content_filter' }], timings });
  assert.ok(told);
  assert.deepEqual(
    [told['prompt_eval_duration'], told['eval_duration'], told['total_duration']],
    [1_500_000, 20_250_000, 21_750_000],
  );
  assert.deepEqual([told['prompt_eval_count'], told['eval_count'], told['done_reason']], [6, 3, 'content_filter']);
});

test('what the router counted stands where the node told nothing', () => {
  const stream = answer();
  stream.event(chunk({ content: 'x' }));
  const [last] = stream.end({ promptTokens: 3, completionTokens: 1, cachedTokens: null, estimated: true });
  assert.deepEqual([last?.['prompt_eval_count'], last?.['eval_count']], [3, 1]);
  const silent = answer();
  const [end] = silent.end(null);
  assert.deepEqual([end?.['eval_count'], end?.['created_at']], [0, '1970-01-01T00:00:00.000Z']);
});

test('calls that share an index, as a gateway numbers them, stay apart by their ids', () => {
  const told = streamed(answer(), [
    chunk({ tool_calls: [emptyCall('x', 'a')] }),
    chunk({ tool_calls: [emptyCall('y', 'b')] }, 'tool_calls'),
  ]);
  const names = callsOf(told).map((one) => objectOf(one)?.['id']);
  assert.deepEqual(names, ['x', 'y']);
});

const piece = (text: string): Json =>
  chunk({ tool_calls: [{ index: 0, id: 'x', function: { name: 'a', arguments: text } }] });

test('a call whose id comes with each of its pieces is one call', () => {
  const told = streamed(answer(), [piece('{"n"'), piece(':1}'), chunk({}, 'tool_calls')]);
  const calls = callsOf(told);
  assert.deepEqual(calls, [{ id: 'x', function: { index: 0, name: 'a', arguments: { n: 1 } } }]);
});

test('however a stream is cut into pieces, its text, its thinking and its calls are the same', () => {
  const call = fc.record({ name: fc.string({ minLength: 1 }), given: fc.dictionary(fc.string(), fc.jsonValue()) });
  const plan = fc.record({
    content: fc.string(),
    thinking: fc.string(),
    calls: fc.array(call, { maxLength: 3 }),
    sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
    isTurned: fc.boolean(),
  });
  fc.assert(
    fc.property(plan, ({ content, thinking, calls, sizes, isTurned }) => {
      const cut = (text: string): string[] => {
        const pieces: string[] = [];
        for (let at = 0, nth = 0; at < text.length; nth += 1) {
          const size = sizes[nth % sizes.length] ?? 1;
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        return pieces;
      };
      const fragments = calls.map(({ name, given }, index) => [
        chunk({ tool_calls: [{ index, id: `id-${index}`, function: { name, arguments: '' } }] }),
        ...cut(JSON.stringify(given)).map((text) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })),
      ]);
      // Calls one after the other, or a piece of each in turn.
      const longest = Math.max(0, ...fragments.map(({ length }) => length));
      const inTurns = Array.from({ length: longest }, (_, nth) =>
        fragments.flatMap((list) => list.slice(nth, nth + 1)),
      );
      const events = [
        ...cut(thinking).map((text) => chunk({ reasoning_content: text })),
        ...cut(content).map((text) => chunk({ content: text })),
        ...(isTurned ? inTurns : fragments).flat(),
        chunk({}, 'stop'),
      ];
      const told = streamed(answer(), events);
      assert.equal(joined(told, 'content'), content);
      assert.equal(joined(told, 'thinking'), thinking);
      const asked = callsOf(told);
      assert.equal(
        JSON.stringify(asked),
        JSON.stringify(
          calls.map(({ name, given }, index) => ({
            id: `id-${index}`,
            function: { index, name, arguments: JSON.parse(JSON.stringify(given)) as unknown },
          })),
        ),
      );
    }),
    { numRuns: 200 },
  );
});
