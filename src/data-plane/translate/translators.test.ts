import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectOf } from './rules.ts';
import { isUntranslatable } from './translation.ts';
import { translatorFor } from './translators.ts';

const chats: readonly [string, object][] = [
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'hi' }] }],
  ['/v1/responses', { input: 'hi' }],
  ['/api/chat', { messages: [{ role: 'user', content: 'hi' }] }],
  ['/api/generate', { prompt: 'hi' }],
];

test("whatever can be told as chat can be told to Anthropic, and Anthropic's answer told back", () => {
  for (const [path, more] of chats) {
    const translator = translatorFor(path, 'anthropic');
    assert.equal(translator?.to, '/v1/messages', path);
    const result = translator?.translate({ model: 'claude', stream: false, ...more });
    assert.ok(result && !isUntranslatable(result), JSON.stringify(result));
    assert.deepEqual(result.call['messages'], [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], path);
    const usage = { input_tokens: 1, output_tokens: 2 };
    const told = result.answer().whole({ type: 'message', id: 'm', content: [{ type: 'text', text: 'yes' }], usage });
    assert.match(JSON.stringify(told), /"yes"/, path);
  }
});

test('Anthropic is asked its own endpoints as they are, and has no embeddings', () => {
  for (const path of ['/v1/messages', '/api/embed', '/v1/embeddings']) {
    assert.equal(translatorFor(path, 'anthropic'), null);
  }
});

test('engines that have chat are told what they lack as chat', () => {
  for (const path of ['/v1/messages', '/v1/responses', '/api/chat', '/api/generate']) {
    assert.equal(translatorFor(path, 'openai')?.to, '/v1/chat/completions');
  }
});

test('a stream is told through both', () => {
  const result = translatorFor('/v1/responses', 'anthropic')?.translate({ model: 'claude', input: 'hi', stream: true });
  assert.ok(result && !isUntranslatable(result));
  const answer = result.answer();
  const types = [
    ...answer.event({ type: 'message_start', message: { id: 'm', usage: { input_tokens: 9, output_tokens: 1 } } }),
    ...answer.event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...answer.event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'yes' } }),
    ...answer.event({ type: 'content_block_stop', index: 0 }),
    ...answer.event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }),
    ...answer.end(null),
  ];
  assert.deepEqual(
    types.map(({ type }) => type),
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ],
  );
  const response = objectOf(types.at(-1)?.['response']);
  assert.equal(objectOf(response?.['usage'])?.['total_tokens'], 12);
});
