import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUntranslatable, type Json } from '../translation.ts';
import { flatName } from './tool-names.ts';
import { responsesToChat } from './translator.ts';

function callOf(more: Json): Json {
  const result = responsesToChat.translate({ model: 'llama3', input: [], ...more });
  assert.ok(!isUntranslatable(result), JSON.stringify(result));
  return result.call;
}

function problemOf(more: Json): { readonly field: string; readonly message: string } {
  const result = responsesToChat.translate({ model: 'llama3', input: [], ...more });
  assert.ok(isUntranslatable(result), 'it was translated');
  assert.ok(result.message.includes(result.field) && result.message.endsWith('.'), result.message);
  return result;
}

function messagesOf(input: unknown, instructions?: string): unknown {
  return callOf({ input, instructions })['messages'];
}

test('settings under their own or another name', () => {
  assert.deepEqual(
    callOf({
      input: 'hi',
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      safety_identifier: 'u1',
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'text' }, verbosity: 'low' },
      stream: true,
      parallel_tool_calls: true,
    }),
    {
      model: 'llama3',
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      user: 'u1',
      reasoning_effort: 'low',
      verbosity: 'low',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'hi' }],
    },
  );
});

test('instructions and what developers say first are one system message', () => {
  const input = [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'May write.' }] },
    { role: 'user', content: 'hi' },
    { role: 'developer', content: 'May not.' },
  ];
  assert.deepEqual(messagesOf(input, 'You code.'), [
    { role: 'system', content: 'You code.\n\nMay write.' },
    { role: 'user', content: 'hi\n\n<system>\nMay not.\n</system>' },
  ]);
});

test("an assistant's reasoning, text and calls are one turn, followed by the results", () => {
  const input = [
    { role: 'user', content: 'read both' },
    {
      type: 'reasoning',
      id: 'rs',
      summary: [{ type: 'summary_text', text: 'Sum.' }],
      content: [{ type: 'reasoning_text', text: 'Hm.' }],
    },
    {
      type: 'message',
      id: 'm',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Reading.', annotations: [], logprobs: [] }],
    },
    { type: 'function_call', id: 'fc', call_id: 'a', name: 'read', arguments: '{}', status: 'completed' },
    { type: 'function_call', call_id: 'b', name: 'read', arguments: '{"x":1}' },
    { type: 'function_call_output', call_id: 'a', output: 'one' },
    {
      type: 'function_call_output',
      call_id: 'b',
      output: [
        { type: 'input_text', text: 'two' },
        { type: 'input_image', image_url: 'https://pictures.example/1.png', detail: 'low' },
      ],
    },
  ];
  assert.deepEqual(messagesOf(input), [
    { role: 'user', content: 'read both' },
    {
      role: 'assistant',
      content: 'Reading.',
      reasoning_content: 'Hm.',
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'read', arguments: '{}' } },
        { id: 'b', type: 'function', function: { name: 'read', arguments: '{"x":1}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'a', content: 'one' },
    { role: 'tool', tool_call_id: 'b', content: 'two' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'From the result of b:' },
        { type: 'image_url', image_url: { url: 'https://pictures.example/1.png', detail: 'low' } },
      ],
    },
  ]);
});

test('files that are sent along', () => {
  const file = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' };
  assert.deepEqual(messagesOf([{ role: 'user', content: [file] }]), [
    {
      role: 'user',
      content: [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } }],
    },
  ]);
});

test('tools and which of them to use', () => {
  const parameters = { type: 'object', properties: {} };
  const told = callOf({
    tools: [{ type: 'function', name: 'read', description: 'Reads.', parameters, strict: true }],
    tool_choice: { type: 'function', name: 'read' },
    parallel_tool_calls: false,
  });
  assert.deepEqual(told['tools'], [
    { type: 'function', function: { name: 'read', description: 'Reads.', parameters, strict: true } },
  ]);
  assert.deepEqual(told['tool_choice'], { type: 'function', function: { name: 'read' } });
  assert.equal(told['parallel_tool_calls'], false);
  assert.equal(callOf({ tool_choice: 'required' })['tool_choice'], 'required');
});

test('an output format', () => {
  const schema = { type: 'object' };
  assert.deepEqual(
    callOf({ text: { format: { type: 'json_schema', name: 'x', schema, strict: true } } })['response_format'],
    {
      type: 'json_schema',
      json_schema: { name: 'x', schema, strict: true },
    },
  );
  assert.deepEqual(callOf({ text: { format: { type: 'json_object' } } })['response_format'], { type: 'json_object' });
});

test('what clients of responses send beside it is no obstacle', () => {
  const told = callOf({
    include: ['reasoning.encrypted_content'],
    store: false,
    prompt_cache_key: 'x',
    client_metadata: { a: 'b' },
    service_tier: 'auto',
    metadata: { a: 'b' },
    truncation: 'disabled',
    tools: [],
    stream_options: { include_obfuscation: false },
    previous_response_id: null,
  });
  assert.deepEqual(Object.keys(told), ['model', 'messages']);
});

test('going on from an earlier response is refused with what to do instead', () => {
  const { field, message } = problemOf({ previous_response_id: 'resp_1' });
  assert.equal(field, 'previous_response_id');
  assert.match(message, /no conversation is kept between requests, so send all of it as input/);
  assert.equal(problemOf({ conversation: 'conv_1' }).field, 'conversation');
});

test('what cannot be told is refused by its name', () => {
  const cases: [Json, string][] = [
    [{ unheard_of: 1 }, 'unheard_of'],
    [{ background: true }, 'background'],
    [{ truncation: 'auto' }, 'truncation'],
    [{ prompt: { id: 'p' } }, 'prompt'],
    [{ top_logprobs: 3 }, 'top_logprobs'],
    [{ include: ['message.output_text.logprobs'] }, 'include[0]'],
    [{ reasoning: { unheard_of: 1 } }, 'reasoning.unheard_of'],
    [{ text: { format: { type: 'grammar' } } }, 'text.format.type'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ type: 'custom', name: 'x', limits: 1 }] }, 'tools[0].limits'],
    [{ tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'mcp' }] }] }, 'tools[0].tools[0].type'],
    [{ tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'namespace' }] }] }, 'tools[0].tools[0].type'],
    [{ tools: [{ type: 'namespace', name: 'n' }] }, 'tools[0].tools'],
    [{ tool_choice: { type: 'web_search' } }, 'tool_choice.type'],
    [{ input: 3 }, 'input'],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input[0].type'],
    [{ input: [{ type: 'web_search_call', id: 'x' }] }, 'input[0].type'],
    [{ input: [{}] }, 'input[0].type'],
    [{ input: [{ role: 'judge', content: 'x' }] }, 'input[0].role'],
    [{ input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] }, 'input[0].content[0].file_id'],
    [{ input: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'input[0].content[0].type'],
    [{ input: [{ type: 'function_call', name: 'x', arguments: '' }] }, 'input[0].call_id'],
  ];
  for (const [more, field] of cases) assert.equal(problemOf(more).field, field);
});

test('functions of a namespace, and tools of free text, are functions', () => {
  const parameters = { type: 'object', properties: {} };
  const spawn = { type: 'function', name: 'spawn_agent', description: 'Starts one.', parameters, strict: false };
  const grammar = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
  const call = callOf({
    tools: [
      { type: 'namespace', name: 'agents', description: 'Other agents.', tools: [spawn, { ...spawn, name: 'wait' }] },
      { type: 'namespace', name: 'mcp__git__', tools: [{ type: 'function', name: 'log.all', parameters }] },
      { type: 'custom', name: 'patch', description: 'Changes files.', format: grammar },
    ],
    tool_choice: { type: 'function', namespace: 'agents', name: 'wait' },
    input: [
      { type: 'function_call', call_id: 'c1', namespace: 'agents', name: 'wait', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'done' },
      { type: 'custom_tool_call', call_id: 'c2', name: 'patch', input: 'a "b"' },
      { type: 'custom_tool_call_output', call_id: 'c2', output: 'ok' },
    ],
  });
  const input = { type: 'object', properties: { input: { type: 'string' } } };
  assert.deepEqual(call['tools'], [
    {
      type: 'function',
      function: { name: 'agents__spawn_agent', description: 'Other agents.\n\nStarts one.', parameters, strict: false },
    },
    { type: 'function', function: { name: 'agents__wait', description: 'Starts one.', parameters, strict: false } },
    { type: 'function', function: { name: 'mcp__git__log_all', parameters } },
    {
      type: 'function',
      function: {
        name: 'patch',
        description: 'Changes files.\n\nThe input must follow this lark grammar:\nstart: "x"',
        parameters: { ...input, required: ['input'], additionalProperties: false },
      },
    },
  ]);
  assert.deepEqual(call['tool_choice'], { type: 'function', function: { name: 'agents__wait' } });
  const [first, , second] = Array.isArray(call['messages']) ? call['messages'] : [];
  assert.deepEqual(first.tool_calls, [
    { id: 'c1', type: 'function', function: { name: 'agents__wait', arguments: '{}' } },
  ]);
  assert.deepEqual(second.tool_calls, [
    { id: 'c2', type: 'function', function: { name: 'patch', arguments: '{"input":"a \\"b\\""}' } },
  ]);
});

test('joined names are names that servers take, and differ where they did', () => {
  const long = 'n'.repeat(50);
  const names = ['one', 'two'].map((name) => flatName(long, `${'x'.repeat(30)}${name}`));
  for (const name of names) assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
  assert.notEqual(names[0], names[1]);
  assert.equal(flatName('', 'as.it.is'), 'as.it.is');
});
