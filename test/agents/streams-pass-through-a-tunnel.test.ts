import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { newToken, nodeIs, offered } from '../support/agent-fleet.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { quickAgents, startAgent } from '../support/start-agent.ts';
import { startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';

const tls = resolve(import.meta.dirname, '../fixtures/tls');

function event(text: string): string {
  const chunk = {
    id: 'c',
    object: 'chat.completion.chunk',
    model: 'm',
    choices: [{ index: 0, delta: { content: text } }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

test('over TLS, a stream arrives piece by piece, and a client that leaves ends it at the engine', async () => {
  const next = Promise.withResolvers<void>();
  let isGone = false;
  await using engine = await scriptedNode({
    models: ['m'],
    answer: async (_request, reply) => {
      void reply.gone.then(() => (isGone = true));
      reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.response.write(event('first'));
      await next.promise;
      reply.response.write(event('second'));
    },
  });
  const listener = { ...quickAgents, tls: { cert: `${tls}/cert.pem`, key: `${tls}/key.pem` } };
  await using router = await startRouter({ agents: listener });
  const { token } = await newToken(router);
  await using agent = startAgent({
    router: router.agentsUrl.replace('127.0.0.1', 'localhost'),
    token,
    engine: engine.url,
    name: 'n',
    flags: ['--tunnel', '--ca', `${tls}/cert.pem`],
  });
  await agent.says(/the tunnel is open/);
  await nodeIs(router, 'n', 'ready');
  await offered(router.url, 'm');
  const leaving = new AbortController();
  const answer = await router.chat({ model: 'm', stream: true }, { signal: leaving.signal });
  const reader = answer.body?.getReader();
  assert.ok(reader);
  const read = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
  assert.match(await read(), /first/);
  next.resolve();
  assert.match(await read(), /second/);
  leaving.abort();
  await until(() => isGone, { what: 'the engine to see its client leave' });
});
