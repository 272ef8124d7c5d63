import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagesToChat } from '../messages-to-chat/translator.ts';
import { isUntranslatable, type Json, type Translator } from '../translation.ts';
import { chatToMessages } from './translator.ts';

function callOf(more: Json, by: Translator = chatToMessages): Json {
  const result = by.translate({ model: 'claude', messages: [], ...more });
  assert.ok(!isUntranslatable(result), JSON.stringify(result));
  return result.call;
}

function fieldOf(more: Json): string {
  const result = chatToMessages.translate({ model: 'claude', messages: [], ...more });
  assert.ok(isUntranslatable(result), 'it was translated');
  assert.ok(result.message.includes(result.field) && result.message.endsWith('.'), result.message);
  return result.field;
}

const text = (said: string): Json => ({ type: 'text', text: said });
const call = (id: string, args: string): Json => ({
  id,
  type: 'function',
  function: { name: 'read', arguments: args },
});
const user = (content: unknown): Json => ({ role: 'user', content });

test('not to think is what it does unasked; other fields of a template are refused', () => {
  assert.deepEqual(callOf({ chat_template_kwargs: { enable_thinking: false } }), callOf({}));
  assert.equal(fieldOf({ chat_template_kwargs: { enable_thinking: true } }), 'chat_template_kwargs.enable_thinking');
  assert.equal(fieldOf({ chat_template_kwargs: { x: 1 } }), 'chat_template_kwargs.x');
});

test('settings under their own or another name', () => {
  const told = callOf({
    max_completion_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    stop: 'END',
    stream: true,
    stream_options: { include_usage: true },
    user: 'u1',
    reasoning_effort: 'minimal',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
  });
  assert.deepEqual(told, {
    model: 'claude',
    max_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    stop_sequences: ['END'],
    stream: true,
    metadata: { user_id: 'u1' },
    output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    messages: [],
  });
});

test('a limit is given where the client gave none', () => {
  assert.equal(callOf({})['max_tokens'], 8192);
  assert.equal(callOf({ max_tokens: 100_000 })['max_tokens'], 100_000);
});

test('system text, images and files', () => {
  const told = callOf({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [text('Be kind.')] },
      user([
        { ...text('look'), cache_control: { type: 'ephemeral' } },
        text(''),
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'high' } },
        { type: 'image_url', image_url: { url: 'https://pictures.example/1.png' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
      ]),
      { role: 'assistant', content: 'ok' },
      { role: 'system', content: 'Be quick.' },
      user('and?'),
    ],
  });
  assert.equal(told['system'], 'Be brief.\n\nBe kind.');
  assert.deepEqual(told['messages'], [
    {
      role: 'user',
      content: [
        { ...text('look'), cache_control: { type: 'ephemeral' } },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { type: 'url', url: 'https://pictures.example/1.png' } },
        {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' },
          title: 'a.pdf',
        },
      ],
    },
    { role: 'assistant', content: [text('ok')] },
    { role: 'user', content: [text('<system>\nBe quick.\n</system>'), text('and?')] },
  ]);
});

test('calls, and their results in one turn', () => {
  const told = callOf({
    messages: [
      user('read'),
      {
        role: 'assistant',
        content: null,
        refusal: null,
        reasoning_content: 'Hm.',
        tool_calls: [call('functions.read:0', '{"x":1}'), call('b', '{"x":')],
      },
      { role: 'tool', tool_call_id: 'functions.read:0', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: [text('two')] },
      user('go on'),
    ],
  });
  assert.deepEqual(told['messages'], [
    { role: 'user', content: [text('read')] },
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'functions_read_0', name: 'read', input: { x: 1 } },
        { type: 'tool_use', id: 'b', name: 'read', input: { INVALID_JSON: '{"x":' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'functions_read_0', content: [text('one')] },
        { type: 'tool_result', tool_use_id: 'b', content: [text('two')] },
        text('go on'),
      ],
    },
  ]);
});

test('tools and which of them to use', () => {
  const tools = [
    {
      type: 'function',
      function: { name: 'read', description: 'Reads.', strict: true, parameters: { type: 'object' } },
    },
    { type: 'function', function: { name: 'now' } },
  ];
  assert.deepEqual(callOf({ tools })['tools'], [
    { name: 'read', description: 'Reads.', input_schema: { type: 'object' }, strict: true },
    { name: 'now', input_schema: { type: 'object', properties: {} } },
  ]);
  const single = { disable_parallel_tool_use: true };
  const cases: [Json, unknown][] = [
    [{ tool_choice: 'auto' }, { type: 'auto' }],
    [{ tool_choice: 'required' }, { type: 'any' }],
    [{ tool_choice: 'none', parallel_tool_calls: false }, { type: 'none' }],
    [{ parallel_tool_calls: false, tool_choice: 'none' }, { type: 'none' }],
    [{ tool_choice: { type: 'function', function: { name: 'now' } } }, { type: 'tool', name: 'now' }],
    [{ parallel_tool_calls: false }, { type: 'auto', ...single }],
    [
      { parallel_tool_calls: false, tool_choice: 'required' },
      { type: 'any', ...single },
    ],
    [
      { tool_choice: 'required', parallel_tool_calls: false },
      { type: 'any', ...single },
    ],
  ];
  for (const [more, expected] of cases) assert.deepEqual(callOf({ tools, ...more })['tool_choice'], expected);
  assert.equal(callOf({ tool_choice: 'auto' })['tool_choice'], undefined);
});

test('what is told in both directions comes back as it was', () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  const asked = {
    model: 'claude',
    max_tokens: 9,
    temperature: 0.5,
    stop: ['END'],
    user: 'u1',
    tools: [{ type: 'function', function: { name: 'weather', description: 'Tells.', parameters } }],
    tool_choice: 'required',
    messages: [
      { role: 'system', content: 'Be brief.' },
      user('weather?'),
      {
        role: 'assistant',
        content: 'Looking.',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Kyoto"}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'sunny' },
      { role: 'assistant', content: 'Sunny.' },
      user([text('and this?'), { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }]),
    ],
  };
  assert.deepEqual(callOf(callOf(asked), messagesToChat), asked);
});

test('what asks for nothing is no obstacle', () => {
  const told = callOf({
    n: 1,
    logprobs: false,
    top_logprobs: null,
    logit_bias: {},
    frequency_penalty: 0,
    presence_penalty: 0,
    modalities: ['text'],
    store: false,
    metadata: {},
    service_tier: 'auto',
    response_format: { type: 'text' },
    reasoning_effort: 'none',
    tools: [],
  });
  assert.deepEqual(Object.keys(told), ['model', 'max_tokens', 'messages']);
});

test('what cannot be told is refused by its name', () => {
  const custom = { id: 'a', type: 'custom', custom: { name: 'x', input: '' } };
  const cases: [Json, string][] = [
    [{ unheard_of: 1 }, 'unheard_of'],
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ seed: 7 }, 'seed'],
    [{ presence_penalty: 0.5 }, 'presence_penalty'],
    [{ logit_bias: { 5: 1 } }, 'logit_bias'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ audio: { voice: 'x' } }, 'audio'],
    [{ web_search_options: {} }, 'web_search_options'],
    [{ functions: [{ name: 'x' }] }, 'functions'],
    [{ store: true }, 'store'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
    [{ reasoning_effort: 'some' }, 'reasoning_effort'],
    [{ stop: 3 }, 'stop'],
    [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type'],
    [{ tool_choice: { type: 'allowed_tools' } }, 'tool_choice.type'],
    [{ tool_choice: 'some' }, 'tool_choice'],
    [{ messages: 'hi' }, 'messages'],
    [{ messages: [{ role: 'function', name: 'x', content: 'y' }] }, 'messages[0].role'],
    [{ messages: [user([{ type: 'input_audio', input_audio: {} }])] }, 'messages[0].content[0].type'],
    [{ messages: [user([{ type: 'file', file: { file_id: 'f' } }])] }, 'messages[0].content[0].file.file_data'],
    [{ messages: [user([{ ...text('x'), unheard_of: 1 }])] }, 'messages[0].content[0].unheard_of'],
    [{ messages: [{ role: 'assistant', audio: { id: 'a' } }] }, 'messages[0].audio'],
    [{ messages: [{ role: 'assistant', tool_calls: [custom] }] }, 'messages[0].tool_calls[0].type'],
    [
      { messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      'messages[0].content',
    ],
  ];
  for (const [more, field] of cases) assert.equal(fieldOf(more), field);
});
