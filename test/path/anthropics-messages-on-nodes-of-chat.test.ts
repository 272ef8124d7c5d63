import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { objectOf } from '../../src/data-plane/translate/rules.ts';
import { chat, deltaEvent, inTurn, type Scripted, status } from '../support/scripted-answers.ts';
import { fakeProvider } from '../support/fake-provider.ts';
import { scriptedNode, type ScriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { readStream } from '../support/streams.ts';
import { until } from '../support/until.ts';

// Anthropic's own client before nodes that speak only chat completions.

const messages = [{ role: 'user' as const, content: 'weather?' }];
const asked = { model: 'llama3', max_tokens: 9, messages };
const tools = [
  { name: 'weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } },
];

function anthropic({ url }: TestDataPlane): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 });
}

function bytes(stream: Buffer): Scripted {
  return (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < stream.length; at += 100) reply.response.write(stream.subarray(at, at + 100));
    reply.response.end();
  };
}

function bodyAt(node: ScriptedNode): Readonly<Record<string, unknown>> {
  return objectOf(node.requests.at(-1)?.json()) ?? {};
}

test('a whole answer, from a node that knows the model by another name', async () => {
  await using node = await scriptedNode(chat);
  await using router = await startDataPlane([{ url: node.url, models: { llama3: '/srv/l3.gguf' } }]);
  const message = await anthropic(router).messages.create({ ...asked, system: 'Be brief.' });
  assert.deepEqual(
    message.content.map((block) => (block.type === 'text' ? block.text : block.type)),
    ['Hello from a node'],
  );
  assert.deepEqual([message.model, message.stop_reason, message.type], ['llama3', 'end_turn', 'message']);
  assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [5, 4]);
  assert.equal(node.requests[0]?.path, '/v1/chat/completions');
  assert.deepEqual(bodyAt(node), {
    model: '/srv/l3.gguf',
    max_tokens: 9,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'weather?' },
    ],
  });
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.dialect], ['served', 'anthropic']);
  assert.equal(settlement?.usage?.completionTokens, 4);
});

test('a stream with thinking and a call, and the result sent back', async () => {
  await using node = await scriptedNode(inTurn(bytes(readStream('vllm-tools.sse')), chat));
  await using router = await startDataPlane([{ url: node.url }]);
  const client = anthropic(router);
  const message = await client.messages.stream({ ...asked, tools }).finalMessage();
  assert.deepEqual(
    message.content.map((block) => (block.type === 'tool_use' ? [block.name, block.input] : block.type)),
    ['thinking', ['weather', { city: 'Kyoto' }]],
  );
  assert.equal(message.stop_reason, 'tool_use');
  const result = { type: 'tool_result' as const, tool_use_id: 'chatcmpl-tool-5f0c', content: 'sunny' };
  const history = [...messages, { role: 'assistant' as const, content: message.content }];
  await client.messages.create({ ...asked, tools, messages: [...history, { role: 'user', content: [result] }] });
  assert.deepEqual(bodyAt(node)['messages'], [
    { role: 'user', content: 'weather?' },
    {
      role: 'assistant',
      content: null,
      reasoning_content: 'Look it up.',
      tool_calls: [
        {
          id: 'chatcmpl-tool-5f0c',
          type: 'function',
          function: { name: 'weather', arguments: '{"city":"Kyoto"}' },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'chatcmpl-tool-5f0c', content: 'sunny' },
  ]);
  await router.settled(2);
});

test('a stream is told event by event, and stops at the node when the client leaves', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'));
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const stream = anthropic(router).messages.stream(asked);
  const text = await new Promise((resolve) => void stream.on('text', resolve));
  assert.equal(text, 'one');
  stream.abort();
  await assert.rejects(stream.done(), Anthropic.APIUserAbortError);
  await until(() => node.sockets().open === 0, { what: "the node's connection to be gone" });
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'gone');
});

test("a node's refusal is told in Anthropic's form", async () => {
  await using node = await scriptedNode(status(400, {}, 'context too long'));
  await using router = await startDataPlane([{ url: node.url }]);
  await assert.rejects(anthropic(router).messages.create(asked), (error) => {
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.type, 'invalid_request_error');
    assert.match(error.message, /context too long/);
    return true;
  });
});

test('a stream that breaks ends with an error event and without its last events', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('one'), () => reply.socket.destroy());
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const answer = await fetch(`${router.url}/v1/messages`, {
    method: 'POST',
    body: JSON.stringify({ ...asked, stream: true }),
  });
  const text = await answer.text();
  assert.match(
    text,
    /^event: message_start\n[^]*"text":"one"[^]*\nevent: error\ndata: [^\n]*"stream_interrupted"[^\n]*\n\n$/,
  );
  assert.ok(!text.includes('message_stop'));
});

test('what cannot be told is a 400 that names it, before any node is asked', async () => {
  await using node = await scriptedNode(chat);
  await using router = await startDataPlane([{ url: node.url }]);
  await assert.rejects(
    anthropic(router).messages.create({ ...asked, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
    (error) => {
      assert.ok(error instanceof Anthropic.BadRequestError);
      assert.match(error.message, /tools\[0\]\.type cannot be told/);
      return true;
    },
  );
  assert.equal(node.requests.length, 0);
});

test('in a mixed fleet every node serves what both can be told, and those that speak it the rest', async () => {
  const own = { id: 'msg_own', type: 'message', role: 'assistant', model: 'llama3', content: [], usage: {} };
  await using speaker = await scriptedNode((_request, reply) => reply.json(200, own));
  await using other = await scriptedNode(chat);
  await using router = await startDataPlane([
    { url: speaker.url, engine: 'vllm', slots: 4 },
    { url: other.url, engine: 'openai', slots: 4 },
  ]);
  const client = anthropic(router);
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.messages.create(asked)));
  assert.ok(answers.every(({ type }) => type === 'message'));
  assert.ok(speaker.count('/v1/messages') > 0 && other.count('/v1/chat/completions') > 0);
  const before = other.requests.length;
  const mcp = { ...asked, mcp_servers: [{ type: 'url', url: 'https://tools.example', name: 'x' }] };
  await Promise.all(Array.from({ length: 4 }, () => client.messages.create(mcp)));
  assert.equal(other.requests.length, before);
});

test('a node found out not to speak it after all is asked in its own dialect', async () => {
  await using node = await scriptedNode({ paths: { '/v1/messages': status(404, {}, 'File Not Found') } });
  await using router = await startDataPlane([{ url: node.url, engine: 'llamacpp' }]);
  const client = anthropic(router);
  for (let turn = 0; turn < 2; turn += 1) {
    const message = await client.messages.create(asked);
    assert.equal(message.type, 'message');
  }
  assert.deepEqual([node.count('/v1/messages'), node.count('/v1/chat/completions')], [1, 2]);
});

test("OpenAI's own models are given the limit by the name that they take", async () => {
  for (const [provider, name] of [
    ['openai', 'max_completion_tokens'],
    ['google', 'max_tokens'],
  ] as const) {
    await using cloud = await fakeProvider(provider);
    await using router = await startDataPlane([cloud.node()]);
    const message = await anthropic(router).messages.create({ ...asked, model: `${provider}:some-model` });
    assert.equal(message.model, `${provider}:some-model`);
    const sent = objectOf(cloud.requests.at(-1)?.json());
    assert.deepEqual(Object.keys(sent ?? {}).toSorted(), [name, 'messages', 'model'].toSorted());
    assert.deepEqual([sent?.[name], sent?.['model']], [9, 'some-model']);
  }
});

test('a request as Claude Code makes it, with all that it says beside the conversation', async () => {
  await using node = await scriptedNode(bytes(readStream('vllm-tools.sse')));
  await using router = await startDataPlane([{ url: node.url }]);
  const kept = { cache_control: { type: 'ephemeral' as const, ttl: '1h' as const } };
  const message = await anthropic(router)
    .beta.messages.stream(
      {
        model: 'llama3',
        max_tokens: 32_000,
        betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14', 'context-management-2025-06-27'],
        system: [
          { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.300.a1; cc_entrypoint=cli; cch=ea6aa;' },
          { type: 'text', text: 'You are an agent.', ...kept },
        ],
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'weather?', ...kept }] },
          { role: 'system', content: 'Skills: none.' },
        ],
        tools: [{ ...tools[0], name: 'weather', input_schema: { type: 'object' }, eager_input_streaming: true }],
        thinking: { type: 'adaptive' },
        output_config: { effort: 'high' },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
        metadata: { user_id: 'device' },
        diagnostics: { previous_message_id: null },
      },
      { headers: { 'anthropic-dangerous-direct-browser-access': 'true' } },
    )
    .finalMessage();
  assert.equal(message.stop_reason, 'tool_use');
  assert.equal(node.requests[0]?.headers['anthropic-beta'], undefined);
  assert.deepEqual(bodyAt(node), {
    model: 'llama3',
    max_tokens: 32_000,
    stream: true,
    stream_options: { include_usage: true },
    reasoning_effort: 'high',
    user: 'device',
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
    messages: [
      { role: 'system', content: 'You are an agent.' },
      { role: 'user', content: 'weather?\n\n<system>\nSkills: none.\n</system>' },
    ],
  });
});
