import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translated, unsayable } from '../../../../test/support/translate.ts';
import { ollamaEmbeddingsToEmbeddings, ollamaEmbedToEmbeddings } from './translator.ts';

const answered = {
  object: 'list',
  model: '/srv/embed.gguf',
  data: [
    { object: 'embedding', index: 1, embedding: [3, 4] },
    { object: 'embedding', index: 0, embedding: [0, 1] },
  ],
  usage: { prompt_tokens: 6, total_tokens: 6 },
};

test('several texts come back as vectors in their order', () => {
  const call = { model: 'embed', input: ['a', 'b'], truncate: true, keep_alive: '5m', options: { num_ctx: 512 } };
  const translation = translated(ollamaEmbedToEmbeddings, { ...call, dimensions: 2 });
  assert.deepEqual(translation.call, { model: 'embed', input: ['a', 'b'], dimensions: 2 });
  assert.deepEqual(translation.answer().whole(answered), {
    model: 'embed',
    embeddings: [
      [0, 1],
      [0.6, 0.8],
    ],
    total_duration: 0,
    load_duration: 0,
    prompt_eval_count: 6,
  });
  assert.deepEqual(translated(ollamaEmbedToEmbeddings, { model: 'embed', input: 'a' }).call, {
    model: 'embed',
    input: 'a',
  });
});

test('the older endpoint has one text and one vector', () => {
  const translation = translated(ollamaEmbeddingsToEmbeddings, { model: 'embed', prompt: 'a' });
  assert.deepEqual(translation.call, { model: 'embed', input: 'a' });
  assert.deepEqual(translation.answer().whole(answered), { embedding: [0, 1] });
  assert.equal(translation.answer().whole({ data: [] }), null);
});

test('a vector that has no length, or is 1 long but for rounding, stays as it came', () => {
  for (const embedding of [[0, 0], [0.6, 0.80001], [], [null, 'x']]) {
    const told = translated(ollamaEmbedToEmbeddings, { model: 'embed', input: 'a' })
      .answer()
      .whole({ data: [{ embedding }] });
    assert.deepEqual(told?.['embeddings'], [embedding]);
  }
});

test('what is no list of vectors is no answer', () => {
  const translation = translated(ollamaEmbedToEmbeddings, { model: 'embed', input: 'a' });
  for (const wrong of [{}, { data: 'x' }, { data: [{ embedding: 'AACAPw==' }] }, { data: [7] }]) {
    assert.equal(translation.answer().whole(wrong), null);
  }
  assert.deepEqual([...translation.answer().event({}), ...translation.answer().end(null)], []);
});

test('input that is no text is told by its name', () => {
  for (const input of [undefined, '', [], [1, 2], {}, 7]) {
    assert.equal(unsayable(ollamaEmbedToEmbeddings, { model: 'embed', input }), 'input');
  }
  assert.equal(unsayable(ollamaEmbedToEmbeddings, { model: 'embed', input: 'a', novelty: 1 }), 'novelty');
  for (const prompt of [undefined, '', ['a']]) {
    assert.equal(unsayable(ollamaEmbeddingsToEmbeddings, { model: 'embed', prompt }), 'prompt');
  }
});
