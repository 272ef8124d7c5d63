import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUntranslatable, type Json } from '../translation.ts';
import { messagesToChat } from './translator.ts';

function callOf(more: Json): Json {
  const result = messagesToChat.translate({ model: 'llama3', max_tokens: 9, messages: [], ...more });
  assert.ok(!isUntranslatable(result), JSON.stringify(result));
  return result.call;
}

function fieldOf(more: Json): string {
  const result = messagesToChat.translate({ model: 'llama3', max_tokens: 9, messages: [], ...more });
  assert.ok(isUntranslatable(result), 'it was translated');
  assert.ok(result.message.includes(result.field) && result.message.endsWith('.'), result.message);
  return result.field;
}

function messagesOf(messages: readonly Json[], system?: unknown): unknown {
  return callOf({ messages, system })['messages'];
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

test('settings under their own or another name', () => {
  const told = callOf({
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    stop_sequences: ['END'],
    metadata: { user_id: 'u1' },
    stream: true,
  });
  assert.deepEqual(told, {
    model: 'llama3',
    max_tokens: 9,
    messages: [],
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    stop: ['END'],
    user: 'u1',
    stream: true,
    stream_options: { include_usage: true },
  });
  assert.deepEqual(callOf({ stream: false })['stream_options'], undefined);
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
  const [, inLoop] = Object.values(messagesOf(loop) ?? {});
  assert.deepEqual(inLoop, {
    role: 'assistant',
    content: null,
    reasoning_content: 'Hm.',
    tool_calls: [call('a')],
  });
  const [, after] = Object.values(messagesOf([...loop, assistant('done'), user('more')]) ?? {});
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

test('tools and which of them to use', () => {
  const schema = { type: 'object', properties: {} };
  const told = callOf({
    tools: [
      {
        name: 'read',
        description: 'Reads.',
        input_schema: schema,
        cache_control: {},
        defer_loading: true,
        allowed_callers: ['direct'],
      },
      { type: 'custom', name: 'write', input_schema: schema, strict: true },
    ],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  });
  assert.deepEqual(told['tools'], [
    { type: 'function', function: { name: 'read', description: 'Reads.', parameters: schema } },
    { type: 'function', function: { name: 'write', parameters: schema, strict: true } },
  ]);
  assert.deepEqual([told['tool_choice'], told['parallel_tool_calls']], ['required', false]);
  assert.equal(callOf({ tool_choice: { type: 'auto' } })['tool_choice'], 'auto');
  assert.equal(callOf({ tool_choice: { type: 'none' } })['tool_choice'], 'none');
  assert.deepEqual(callOf({ tool_choice: { type: 'tool', name: 'read' } })['tool_choice'], {
    type: 'function',
    function: { name: 'read' },
  });
});

test('how much to think is told as effort, whether to think is not', () => {
  assert.equal(callOf({ thinking: { type: 'enabled', budget_tokens: 1024 } })['reasoning_effort'], 'low');
  assert.equal(callOf({ thinking: { type: 'enabled', budget_tokens: 31_999 } })['reasoning_effort'], 'high');
  assert.equal(callOf({ thinking: { type: 'adaptive' } })['reasoning_effort'], undefined);
  assert.equal(callOf({ thinking: { type: 'disabled' } })['reasoning_effort'], undefined);
  assert.equal(
    callOf({ output_config: { effort: 'max' }, thinking: { type: 'enabled', budget_tokens: 1024 } })[
      'reasoning_effort'
    ],
    'high',
  );
});

test('the answer is told as the call asked', () => {
  const choice = { index: 0, message: { reasoning: 'Hm.', content: 'x' }, finish_reason: 'stop', stop_reason: 'END' };
  const told = (more: Json): unknown[] => {
    const result = messagesToChat.translate({ model: 'llama3', messages: [], stop_sequences: ['END'], ...more });
    assert.ok(!isUntranslatable(result));
    const { content, stop_sequence: stopText, model } = result.answer().whole({ choices: [choice] }) ?? {};
    assert.ok(Array.isArray(content));
    return [content.length, stopText, model];
  };
  assert.deepEqual(told({}), [2, 'END', 'llama3']);
  assert.deepEqual(told({ thinking: { type: 'adaptive' } }), [2, 'END', 'llama3']);
  assert.deepEqual(told({ thinking: { type: 'disabled' } }), [1, 'END', 'llama3']);
  assert.deepEqual(told({ thinking: { type: 'adaptive', display: 'omitted' } }), [1, 'END', 'llama3']);
});

test('an output format', () => {
  const schema = { type: 'object' };
  const expected = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
  for (const more of [
    { output_config: { format: { type: 'json_schema', schema } } },
    { output_format: { type: 'json_schema', schema } },
  ]) {
    assert.deepEqual(callOf(more)['response_format'], expected);
  }
});

test('what Claude Code sends beside the conversation is no obstacle', () => {
  const told = callOf({
    system: [{ ...text('S'), cache_control: { type: 'ephemeral', ttl: '1h', scope: 'global' } }],
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    output_config: { effort: 'high' },
    thinking: { type: 'adaptive' },
    metadata: { user_id: '{"device_id":"x"}' },
    diagnostics: { previous_message_id: null },
    service_tier: 'auto',
    speed: 'standard',
    mcp_servers: [],
    container: null,
    inference_geo: null,
  });
  assert.deepEqual(Object.keys(told).toSorted(), ['max_tokens', 'messages', 'model', 'reasoning_effort', 'user']);
});

test('what cannot be told is refused by its name', () => {
  const webSearch = { type: 'web_search_20250305', name: 'web_search' };
  const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'x' } };
  const cases: [Json, string][] = [
    [{ unheard_of: 1 }, 'unheard_of'],
    [{ mcp_servers: [{ url: 'x' }] }, 'mcp_servers'],
    [{ container: 'c1' }, 'container'],
    [{ inference_geo: 'us' }, 'inference_geo'],
    [{ output_config: { unheard_of: 1 } }, 'output_config.unheard_of'],
    [{ output_config: { effort: 'some' } }, 'output_config.effort'],
    [{ tools: [{ name: 'a', input_schema: {} }, webSearch] }, 'tools[1].type'],
    [{ tools: [{ name: 'a', input_schema: {}, unheard_of: 1 }] }, 'tools[0].unheard_of'],
    [{ tools: [{ name: 'a' }] }, 'tools[0].input_schema'],
    [
      { tools: [{ name: 'a', input_schema: {}, allowed_callers: ['code_execution_20250825'] }] },
      'tools[0].allowed_callers',
    ],
    [{ tool_choice: { type: 'some' } }, 'tool_choice.type'],
    [{ thinking: { type: 'some' } }, 'thinking.type'],
    [{ messages: 'hi' }, 'messages'],
    [{ messages: ['hi'] }, 'messages[0]'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
    [{ messages: [user(null)] }, 'messages[0].content'],
    [{ messages: [user([pdf])] }, 'messages[0].content[0].source.type'],
    [
      { messages: [user([{ type: 'image', source: { type: 'file', file_id: 'f' } }])] },
      'messages[0].content[0].source.type',
    ],
    [{ messages: [user([{ ...text('x'), unheard_of: 1 }])] }, 'messages[0].content[0].unheard_of'],
    [{ messages: [assistant([{ type: 'server_tool_use', id: 'x', name: 'y' }])] }, 'messages[0].content[0].type'],
    [{ messages: [user([{ type: 'tool_result', content: 'x' }])] }, 'messages[0].content[0].tool_use_id'],
    [{ system: [{ type: 'image' }] }, 'system[0].type'],
    [
      { messages: [user([{ ...pdf, source: { type: 'text', data: 'x' }, citations: { enabled: true } }])] },
      'messages[0].content[0].citations',
    ],
  ];
  for (const [more, field] of cases) assert.equal(fieldOf(more), field);
});
