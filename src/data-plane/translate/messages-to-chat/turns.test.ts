import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../translation.ts';
import { Objections } from '../rules.ts';
import { readTurns } from './turns.ts';

function messagesOf(messages: readonly Json[], system?: unknown): Json[] {
  const objections = new Objections('there', 'here');
  const told = readTurns({ messages, system }, objections);
  assert.equal(objections.first, null);
  return told;
}

const user = (content: unknown): Json => ({ role: 'user', content });
const assistant = (content: unknown): Json => ({ role: 'assistant', content });
const text = (said: string): Json => ({ type: 'text', text: said });
const use = (id: string): Json => ({ type: 'tool_use', id, name: 'read', input: { path: id } });
const call = (id: string): Json => ({
  id,
  type: 'function',
  function: { name: 'read', arguments: `{"path":"${id}"}` },
});

test('the system prompt is one message, without the line that is for accounting', () => {
  const accounting = 'x-anthropic-billing-header: cc_version=2.1; cch=ea6aa;';
  const system = [text(accounting), { ...text('You code.'), cache_control: { type: 'ephemeral' } }, text('Be brief.')];
  assert.deepEqual(messagesOf([user('hi')], system), [
    { role: 'system', content: 'You code.\n\nBe brief.' },
    { role: 'user', content: 'hi' },
  ]);
  assert.deepEqual(messagesOf([user('hi')], `${accounting}\nYou code.`), [
    { role: 'system', content: 'You code.' },
    { role: 'user', content: 'hi' },
  ]);
});

test('system text between turns stays at its place, marked', () => {
  assert.deepEqual(messagesOf([user('hi'), { role: 'system', content: 'Skills: none.' }, assistant('yes')], 'S'), [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'hi\n\n<system>\nSkills: none.\n</system>' },
    { role: 'assistant', content: 'yes' },
  ]);
});

test('calls, their results, an image among them, and what the user adds', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
  const told = messagesOf([
    user('read both'),
    assistant([text('Reading.'), use('a'), use('b')]),
    user([
      text('and hurry'),
      { type: 'tool_result', tool_use_id: 'a', content: [text('one'), image] },
      { type: 'tool_result', tool_use_id: 'b', content: 'gone', is_error: true },
    ]),
  ]);
  assert.deepEqual(told, [
    { role: 'user', content: 'read both' },
    { role: 'assistant', content: 'Reading.', tool_calls: [call('a'), call('b')] },
    { role: 'tool', tool_call_id: 'a', content: 'one' },
    { role: 'tool', tool_call_id: 'b', content: 'Error: gone' },
    {
      role: 'user',
      content: [
        text('From the result of a:'),
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        text('and hurry'),
      ],
    },
  ]);
});

test('thinking goes back within the loop of tools, and not once the user has spoken again', () => {
  const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'x' };
  const loop = [
    user('go'),
    assistant([thinking, { type: 'redacted_thinking', data: 'x' }, use('a')]),
    user([{ type: 'tool_result', tool_use_id: 'a' }, text('<reminder>')]),
  ];
  const [, inLoop] = messagesOf(loop);
  assert.deepEqual(inLoop, {
    role: 'assistant',
    content: null,
    reasoning_content: 'Hm.',
    tool_calls: [call('a')],
  });
  const [, after] = messagesOf([...loop, assistant('done'), user('more')]);
  assert.deepEqual(after, { role: 'assistant', content: null, tool_calls: [call('a')] });
});

test('images, and documents of text', () => {
  const told = messagesOf([
    user([
      { type: 'image', source: { type: 'url', url: 'https://pictures.example/1.png' } },
      { type: 'document', title: 'Notes', source: { type: 'text', media_type: 'text/plain', data: 'Buy milk.' } },
      { type: 'document', source: { type: 'content', content: [text('Part.')] } },
    ]),
  ]);
  assert.deepEqual(told, [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'https://pictures.example/1.png' } },
        text('Notes'),
        text('Buy milk.'),
        text('Part.'),
      ],
    },
  ]);
});
