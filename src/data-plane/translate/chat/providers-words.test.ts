import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asProviderTakesIt } from './providers-words.ts';

const call = { model: 'm', max_tokens: 9, chat_template_kwargs: { enable_thinking: true }, reasoning_effort: 'high' };

test('OpenAI is given the limit by its new name, and no provider of chat the words for a template', () => {
  assert.deepEqual(asProviderTakesIt(call, 'openai'), {
    model: 'm',
    max_completion_tokens: 9,
    reasoning_effort: 'high',
  });
  assert.deepEqual(asProviderTakesIt(call, 'google'), { model: 'm', max_tokens: 9, reasoning_effort: 'high' });
  assert.deepEqual(asProviderTakesIt({ model: 'm' }, 'openai'), { model: 'm' });
});

test('what is told to Anthropic is in its own words already', () => {
  assert.deepEqual(asProviderTakesIt(call, 'anthropic'), call);
});
