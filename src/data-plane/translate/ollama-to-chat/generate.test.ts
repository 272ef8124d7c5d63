import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStream } from '../../../../test/support/streams.ts';
import { chunk, eventsOf, streamed, translated, unsayable } from '../../../../test/support/translate.ts';
import { ollamaGenerateToChat } from './generate.ts';

const call = { model: 'llama3', prompt: 'hello', stream: false };

test('a prompt is a chat of one turn, after its system prompt', () => {
  assert.deepEqual(translated(ollamaGenerateToChat, call).call, {
    model: 'llama3',
    messages: [{ role: 'user', content: 'hello' }],
  });
  const full = { ...call, system: 'be short', format: 'json', options: { num_predict: 3 }, raw: false, context: [] };
  assert.deepEqual(translated(ollamaGenerateToChat, full).call, {
    model: 'llama3',
    messages: [
      { role: 'system', content: 'be short' },
      { role: 'user', content: 'hello' },
    ],
    max_tokens: 3,
    response_format: { type: 'json_object' },
  });
});

test('the answer is told as a response', () => {
  const answer = translated(ollamaGenerateToChat, call).answer();
  const told = streamed(answer, [
    chunk({ reasoning: 'hm' }),
    chunk({ content: 'Hel' }),
    chunk({ content: 'lo' }, 'length'),
  ]);
  assert.deepEqual(
    told.map(({ response, thinking, done }) => [response, thinking, done]),
    [
      ['', 'hm', false],
      ['Hel', undefined, false],
      ['lo', undefined, false],
      ['', undefined, true],
    ],
  );
  assert.equal(told.at(-1)?.['done_reason'], 'length');
});

test('what a chat cannot say is told by its name', () => {
  for (const field of ['template', 'suffix']) {
    assert.equal(unsayable(ollamaGenerateToChat, { ...call, [field]: 'x' }), field);
  }
  assert.equal(unsayable(ollamaGenerateToChat, { ...call, context: [1, 2] }), 'context');
  assert.equal(unsayable(ollamaGenerateToChat, { ...call, prompt: ['x'] }), 'prompt');
  assert.equal(unsayable(ollamaGenerateToChat, { ...call, images: ['x'] }), 'images[0]');
  assert.equal(unsayable(ollamaGenerateToChat, { ...call, messages: [1] }), 'messages');
});

test('no prompt loads the model', () => {
  const load = translated(ollamaGenerateToChat, { model: 'llama3' });
  assert.deepEqual(streamed(load.answer(), [chunk({ content: 'x' }, 'length')]), [
    { model: 'llama3', created_at: '2026-01-01T00:00:00.000Z', response: '', done: true, done_reason: 'load' },
  ]);
  assert.equal(unsayable(ollamaGenerateToChat, { model: 'llama3', keep_alive: 0 }), 'keep_alive');
});

test('a raw prompt goes to completions as it is', () => {
  const raw = { ...call, raw: true };
  const translation = translated(ollamaGenerateToChat, { ...raw, options: { stop: ['x'] } });
  const { call: said, instead } = translation;
  assert.deepEqual([said, instead?.to], [{ model: 'llama3', prompt: 'hello', stop: ['x'] }, '/v1/completions']);
  const told = translation
    .answer()
    .whole({ created: 1_767_225_600, choices: [{ index: 0, text: 'Hi', finish_reason: 'length' }] });
  assert.deepEqual([told?.['response'], told?.['done_reason']], ['Hi', 'length']);
  const stream = streamed(translation.answer(), eventsOf(readStream('vllm-completions.sse')));
  assert.ok(stream.length > 2);
  assert.equal(stream.at(-1)?.['done'], true);
  for (const field of ['template', 'system', 'suffix', 'format', 'think']) {
    assert.equal(unsayable(ollamaGenerateToChat, { ...raw, [field]: 'x' }), field);
  }
  assert.equal(unsayable(ollamaGenerateToChat, { ...raw, prompt: '' }), 'prompt');
});
