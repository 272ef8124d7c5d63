import { readFileSync } from 'node:fs';
import type { ProviderName } from '../../src/fleet/glossary.ts';
import { chat, type Scripted, status } from './scripted-answers.ts';
import { scriptedNode, type ScriptedNode } from './scripted-node.ts';
import type { TestNode } from './start-data-plane.ts';

// A cloud provider as it looks from outside: it wants its own form of key on every request, has its endpoints where that provider has
// them, and knows nothing else. A test says what it answers to those who have the key.

export const PROVIDER_KEY = 'provider-key-canary-5b1f';

export interface FakeProvider extends ScriptedNode {
  readonly kind: ProviderName;
  /** Where its API begins, as `baseUrl` in the configuration. */
  readonly baseUrl: string;
  /** The provider as a node of a test's fleet. */
  node(more?: Partial<TestNode>): TestNode;
}

export interface FakeProviderOptions {
  /** To every POST that has the key. */
  readonly answer?: Scripted;
  readonly https?: boolean;
}

/** Starts one on 127.0.0.1. */
export async function fakeProvider(
  kind: ProviderName,
  { answer = kind === 'anthropic' ? message : chat, https = false }: FakeProviderOptions = {},
): Promise<FakeProvider> {
  const base = kind === 'google' ? '/v1beta/openai' : '';
  const list = kind === 'google' ? '/models' : '/v1/models';
  const models = {
    object: 'list',
    data: [{ id: 'listed-by-the-provider', object: 'model', created: 0, owned_by: kind }],
  };
  const node = await scriptedNode({
    answer: guarded(kind, answer),
    paths: { [base + list]: guarded(kind, (_request, reply) => reply.json(200, models)) },
    ...(https ? { tls: { cert: pem('cert'), key: pem('key') } } : {}),
  });
  return Object.assign(node, {
    kind,
    baseUrl: node.url + base,
    node: (more: Partial<TestNode> = {}): TestNode => ({
      url: node.url + base,
      provider: kind,
      apiKey: PROVIDER_KEY,
      ...(https ? { tls: { ca: pem('cert') } } : {}),
      ...more,
    }),
  });
}

/** Where each has its endpoints. */
const paths: Readonly<Record<ProviderName, RegExp>> = {
  openai: /^\/v1\//,
  anthropic: /^\/v1\/(messages|models)/,
  google: /^\/v1beta\/openai\/(chat\/completions|embeddings|models)/,
};

/** Anthropic's answer of one block of text, streamed where the request asks for it. */
export const message: Scripted = (request, reply) => {
  const usage = { input_tokens: 7, output_tokens: 2 };
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', stop_sequence: null };
  const text = 'Hello from Claude';
  const asked: unknown = request.json();
  if (typeof asked !== 'object' || asked === null || !('stream' in asked) || asked.stream !== true) {
    reply.json(200, { ...head, content: [{ type: 'text', text }], stop_reason: 'end_turn', usage });
    return;
  }
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  const events = [
    {
      type: 'message_start',
      message: { ...head, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ];
  for (const event of events) reply.response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  reply.response.end();
};

function guarded(kind: ProviderName, then: Scripted): Scripted {
  const refusal = status(401, {}, 'no such key');
  return (request, reply) => {
    const { authorization, 'x-api-key': ownKey, 'anthropic-version': version } = request.headers;
    const isKnown =
      kind === 'anthropic'
        ? ownKey === PROVIDER_KEY && authorization === undefined && version !== undefined
        : authorization === `Bearer ${PROVIDER_KEY}` && ownKey === undefined;
    if (!paths[kind].test(request.path)) return status(404, {}, 'Not Found')(request, reply);
    return (isKnown ? then : refusal)(request, reply);
  };
}

function pem(name: 'cert' | 'key'): string {
  return readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8');
}
