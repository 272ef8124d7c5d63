import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translated, unsayable } from '../../../../test/support/translate.ts';
import { chatToMessages } from '../chat-to-messages/translator.ts';
import { compose } from '../compose.ts';
import { ollamaChatToChat } from './chat.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';
const JPEG = '/9j/4AAQSkZJRgABAQAAAQABAAD';
const messages = [{ role: 'user', content: 'hello' }];

function callOf(call: object): object {
  return translated(ollamaChatToChat, { model: 'llama3', stream: false, messages, ...call }).call;
}

function fieldOf(call: object): string {
  return unsayable(ollamaChatToChat, { model: 'llama3', messages, ...call });
}

test('a chat is said as a chat, streamed with its counts unless asked not to be', () => {
  assert.deepEqual(callOf({}), { model: 'llama3', messages });
  const stream = { stream: true, stream_options: { include_usage: true } };
  assert.deepEqual(callOf({ stream: undefined }), { model: 'llama3', messages, ...stream });
  assert.deepEqual(callOf({ stream: true }), { model: 'llama3', messages, ...stream });
});

test("what the AI SDK's provider says beside Ollama's own fields is said as well, and the options' word holds", () => {
  const beside = { tool_choice: 'auto', temperature: 0.5, top_p: null, max_output_tokens: 9 };
  const said = { model: 'llama3', messages, tool_choice: 'auto', temperature: 0.5, max_tokens: 9 };
  assert.deepEqual(callOf(beside), said);
  const both = callOf({ ...beside, options: { temperature: 1, num_predict: 3 } });
  assert.deepEqual(both, { ...said, temperature: 1, max_tokens: 3 });
});

test('images become URLs that say their type', () => {
  const said = callOf({ messages: [{ role: 'user', content: 'what is it', images: [PNG, JPEG] }] });
  const content = [
    { type: 'text', text: 'what is it' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
    { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${JPEG}` } },
  ];
  assert.deepEqual(said, { model: 'llama3', messages: [{ role: 'user', content }] });
  for (const [image, url] of [
    ['data:image/png;base64,AAAA', 'data:image/png;base64,AAAA'],
    ['UklGRhYAAABXRUJQVlA4', 'data:image/webp;base64,UklGRhYAAABXRUJQVlA4'],
    ['R0lGODlhAQABAIAA', 'data:image/gif;base64,R0lGODlhAQABAIAA'],
    ['Qk02AAAAAAAAADYA', 'data:image/bmp;base64,Qk02AAAAAAAAADYA'],
  ]) {
    const only = [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
    assert.deepEqual(callOf({ messages: [{ role: 'user', images: [image] }] }), { model: 'llama3', messages: only });
  }
  assert.equal(fieldOf({ messages: [{ role: 'user', images: ['UklGRhYAAABXQVZFVlA4'] }] }), 'messages[0].images[0]');
  assert.equal(fieldOf({ messages: [{ role: 'user', images: ['aGVsbG8='] }] }), 'messages[0].images[0]');
  assert.equal(fieldOf({ messages: [{ role: 'user', images: [7] }] }), 'messages[0].images[0]');
  assert.equal(fieldOf({ messages: [{ role: 'system', images: [PNG] }] }), 'messages[0].images');
});

const asked = (name: string, more: object = {}): object => ({ function: { name, arguments: { n: 1 } }, ...more });
const told = (id: string, name: string): object => ({
  id,
  type: 'function',
  function: { name, arguments: '{"n":1}' },
});

test("a tool's result finds the call that it answers, by name or by id", () => {
  const history = [
    { role: 'assistant', content: '', tool_calls: [asked('a'), asked('b'), asked('a'), asked('c', { id: 'own' })] },
    { role: 'tool', tool_name: 'b', content: 'of b' },
    { role: 'tool', tool_name: 'a', content: 'of the first a' },
    { role: 'tool', tool_call_id: 'own', content: 'of c' },
    { role: 'tool', content: 'of what is left' },
    { role: 'assistant', thinking: 'hm', tool_calls: [asked('a')] },
    { role: 'tool', tool_name: 'a', content: 'of the next turn' },
  ];
  assert.deepEqual(callOf({ messages: history }), {
    model: 'llama3',
    messages: [
      {
        role: 'assistant',
        content: '',
        tool_calls: [told('call00001', 'a'), told('call00002', 'b'), told('call00003', 'a'), told('own', 'c')],
      },
      { role: 'tool', tool_call_id: 'call00002', content: 'of b' },
      { role: 'tool', tool_call_id: 'call00001', content: 'of the first a' },
      { role: 'tool', tool_call_id: 'own', content: 'of c' },
      { role: 'tool', tool_call_id: 'call00003', content: 'of what is left' },
      { role: 'assistant', content: '', reasoning_content: 'hm', tool_calls: [told('call00005', 'a')] },
      { role: 'tool', tool_call_id: 'call00005', content: 'of the next turn' },
    ],
  });
  assert.equal(fieldOf({ messages: [{ role: 'tool', tool_name: 'a', content: 'x' }] }), 'messages[0].tool_name');
});

test('a call that never had a result is not taken for one of a later turn', () => {
  const history = [
    { role: 'assistant', tool_calls: [asked('a'), asked('b')] },
    { role: 'tool', tool_name: 'b', content: 'of b' },
    { role: 'assistant', tool_calls: [{ function: { name: 'a', arguments: '{"as":"text"}' } }] },
    { role: 'tool', tool_name: 'a', content: 'of the later a' },
  ];
  const said = JSON.stringify(callOf({ messages: history }));
  assert.ok(said.includes('"tool_call_id":"call00003","content":"of the later a"'), said);
  assert.ok(said.includes(String.raw`"arguments":"{\"as\":\"text\"}"`), said);
});

test('options, format, thinking and tools have their names in chat', () => {
  const tools = [{ type: 'function', function: { name: 'a', parameters: {} } }];
  const schema = { type: 'object' };
  assert.deepEqual(
    callOf({
      tools,
      format: schema,
      think: 'high',
      logprobs: true,
      top_logprobs: 2,
      options: {
        temperature: 0,
        top_k: 5,
        repeat_penalty: 1.1,
        stop: ['x'],
        num_predict: 7,
        num_ctx: 4096,
        seed: null,
      },
      keep_alive: '5m',
    }),
    {
      model: 'llama3',
      messages,
      tools,
      temperature: 0,
      top_k: 5,
      repeat_penalty: 1.1,
      repetition_penalty: 1.1,
      stop: ['x'],
      max_tokens: 7,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
      reasoning_effort: 'high',
      chat_template_kwargs: { enable_thinking: true, reasoning_effort: 'high' },
      logprobs: true,
      top_logprobs: 2,
    },
  );
  assert.deepEqual(callOf({ format: 'json', think: false, options: { num_predict: -1 } }), {
    model: 'llama3',
    messages,
    response_format: { type: 'json_object' },
    chat_template_kwargs: { enable_thinking: false },
  });
  assert.deepEqual(callOf({ format: '', think: null, tools: [], options: {} }), { model: 'llama3', messages });
});

test('what cannot be said is told by its name', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ novelty: 1 }, 'novelty'],
    [{ options: { novelty: 1 } }, 'options.novelty'],
    [{ options: 'hot' }, 'options'],
    [{ format: 'yaml' }, 'format'],
    [{ think: 3 }, 'think'],
    [{ tools: {} }, 'tools'],
    [{ messages: 'hello' }, 'messages'],
    [{ messages: ['hello'] }, 'messages[0]'],
    [{ messages: [{ content: 'x' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content'],
    [{ messages: [{ role: 'user', content: 'x', novelty: 1 }] }, 'messages[0].novelty'],
    [{ messages: [{ role: 'assistant', tool_calls: [{}] }] }, 'messages[0].tool_calls[0].function.name'],
  ];
  for (const [call, field] of cases) assert.equal(fieldOf(call), field);
});

test('no messages load the model, by the shortest of chats; unloading cannot be asked', () => {
  const load = translated(ollamaChatToChat, { model: 'llama3', messages: [], keep_alive: '1h', stream: false });
  assert.deepEqual(load.call, { model: 'llama3', messages: [{ role: 'user', content: '.' }], max_tokens: 1 });
  const loaded = {
    model: 'llama3',
    created_at: '2026-01-01T00:00:00.000Z',
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'load',
  };
  const said = {
    created: 1_767_225_600,
    choices: [{ index: 0, delta: { content: 'Yes' }, message: { content: 'Yes' } }],
  };
  assert.deepEqual(load.answer().whole(said), loaded);
  assert.equal(load.answer().whole({ error: 'no' }), null);
  const stream = load.answer();
  assert.deepEqual([...stream.event(said), ...stream.end(null)], [loaded]);
  for (const keepAlive of [0, '0', '0s']) assert.equal(fieldOf({ messages: [], keep_alive: keepAlive }), 'keep_alive');
});

test('told on to Anthropic, what has no counterpart there is refused by the name that Ollama has for it', () => {
  const onwards = compose(ollamaChatToChat, chatToMessages);
  for (const [call, field] of [
    [{ think: true }, 'think'],
    [{ format: 'json' }, 'format'],
    [{ options: { seed: 1 } }, 'options.seed'],
    [{ options: { repeat_penalty: 1.1 } }, 'options.repeat_penalty'],
  ] as const) {
    assert.equal(unsayable(onwards, { model: 'claude', messages, ...call }), field);
  }
  assert.deepEqual(
    translated(onwards, { model: 'claude', messages, options: { num_predict: 5 } }).call['max_tokens'],
    5,
  );
});
