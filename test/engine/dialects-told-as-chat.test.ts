import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { readMessageEvents } from '../support/message-grammar.ts';
import { objectOf } from '../../src/data-plane/translate/rules.ts';
import type { Weir } from '../support/start-weir.ts';
import { engineTest, type Stage, untilIdle } from './stage.ts';

// llama.cpp speaks all of these itself; as a server of unknown make it is asked for messages as chat. Its own answer to the same request,
// with the same seed of zero temperature, is what the translated one is held against.

const messages = [{ role: 'user' as const, content: 'where does my request go' }];
const asked = { model: 'tiny', max_tokens: 6, temperature: 0, messages };

async function bothWays({ engine, weir }: Stage): Promise<{ told: Weir; own: Weir }> {
  const { url } = await engine();
  return {
    told: await weir({ nodes: [{ name: 'unknown', url, engine: 'openai' }] }),
    own: await weir({ nodes: [{ name: 'known', url }] }),
  };
}

const question = [{ role: 'user' as const, content: 'is there room' }];
const tools = [
  {
    name: 'read_load',
    description: 'How busy a node is',
    input_schema: {
      type: 'object' as const,
      properties: { node: { type: 'string', enum: ['gpu', 'cpu'] } },
      required: ['node'],
    },
  },
];

function anthropic(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 });
}

engineTest('messages told as chat say what the engine itself says', async (stage) => {
  const { told, own } = await bothWays(stage);
  for (const body of [asked, { ...asked, stop_sequences: ['e'] }, { ...asked, system: 'You are a router.' }]) {
    const mine = await anthropic(told.url).messages.create(body);
    const its = await anthropic(own.url).messages.create(body);
    assert.deepEqual(textOf(mine), textOf(its));
    assert.ok(textOf(mine).length > 0 || body !== asked);
    assert.deepEqual(mine.usage.output_tokens, its.usage.output_tokens);
    assert.equal(prompt(mine), prompt(its));
  }
  const whole = await anthropic(told.url).messages.create(asked);
  assert.deepEqual([whole.stop_reason, whole.model], ['max_tokens', 'tiny']);
  await untilIdle(told);
});

engineTest('a stream of messages told as chat keeps the order of events', async (stage) => {
  const { told, own } = await bothWays(stage);
  const events = await eventsOf(told.url);
  const read = readMessageEvents(events);
  // The grammar is no invention of ours: the engine's own stream keeps to it.
  assert.equal(readMessageEvents(await eventsOf(own.url)).stopReason, 'max_tokens');
  const its = await anthropic(own.url).messages.stream(asked).finalMessage();
  assert.equal(read.content.map(({ text }) => text).join(''), textOf(its));
  assert.equal(read.stopReason, 'max_tokens');
  assert.equal(read.usage['output_tokens'], 6);
  assert.ok(events.length > 8, 'it came in pieces');
  await untilIdle(told);
});

engineTest('a context that is too long is told in the form of the client', async (stage) => {
  const { told } = await bothWays(stage);
  const long = [{ role: 'user' as const, content: 'where '.repeat(3000) }];
  await assert.rejects(anthropic(told.url).messages.create({ ...asked, messages: long }), (error) => {
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.match(error.message, /context/);
    return true;
  });
});

engineTest('a call is streamed as blocks, and its result goes back to the engine', async ({ engine, weir }) => {
  const { url } = await engine({ ctx: 2048 });
  const told = await weir({ nodes: [{ name: 'unknown', url, engine: 'openai' }] });
  const client = anthropic(told.url);
  const request = { ...asked, max_tokens: 100, tools };
  const stream = client.messages.stream({ ...request, messages: question });
  let pieces = 0;
  stream.on('inputJson', () => (pieces += 1));
  const message = await stream.finalMessage();
  assert.equal(message.stop_reason, 'tool_use');
  const call = message.content.find((block) => block.type === 'tool_use');
  assert.equal(call?.name, 'read_load');
  assert.ok(['gpu', 'cpu'].includes(String(objectOf(call.input)?.['node'])), JSON.stringify(call.input));
  assert.ok(pieces > 3, `it came in ${pieces} pieces`);
  const result = { type: 'tool_result' as const, tool_use_id: call.id, content: '3 of 4 slots are taken' };
  const after = await client.messages.create({
    ...request,
    max_tokens: 5,
    messages: [...question, { role: 'assistant', content: message.content }, { role: 'user', content: [result] }],
  });
  assert.match(textOf(after), /router/);
});

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function prompt({ usage }: Anthropic.Message): number {
  return usage.input_tokens + (usage.cache_read_input_tokens ?? 0);
}

/** The events of a streamed answer to `asked`. */
async function eventsOf(url: string): Promise<Readonly<Record<string, unknown>>[]> {
  const body = JSON.stringify({ ...asked, stream: true });
  const text = await (await fetch(`${url}/v1/messages`, { method: 'POST', body })).text();
  return text.split('\n').flatMap((line) => {
    const event = line.startsWith('data: ') ? objectOf(JSON.parse(line.slice(6))) : null;
    return event ? [event] : [];
  });
}
