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

const user = (content: unknown): Json => ({ role: 'user', content });
const assistant = (content: unknown): Json => ({ role: 'assistant', content });
const text = (said: string): Json => ({ type: 'text', text: said });
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
