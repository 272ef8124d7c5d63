import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozen } from '../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { until } from '../../test/support/until.ts';
import { ManualClock, systemClock } from '../lib/clock.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';
import { streamAnswer } from './stream-answer.ts';

const request = { method: 'GET', path: '/', headers: [], body: null } as const;

function target(origin: string) {
  return { pool: 'a', origin, tls: null, connectMs: 1000 };
}

function newClient(): HttpClient & Disposable {
  const client = createHttpClient({ maxIdlePerNode: 1, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, systemClock);
  return { ...client, [Symbol.dispose]: () => client.close() };
}

test('an answer is given on piece by piece, with its head, and resolves when it is whole', async () => {
  await using node = await scriptedNode({
    paths: {
      '/': (_request, reply) => {
        reply.response.writeHead(206, { 'x-a': 'b' });
        reply.response.write('one');
        reply.response.end('two');
      },
    },
  });
  using client = newClient();
  let text = '';
  const head = await streamAnswer(
    client,
    target(node.url),
    request,
    { clock: systemClock, silenceMs: 5000 },
    (chunk, { status }) => {
      text += `${chunk.toString()}/${status} `;
      return true;
    },
  );
  assert.match(text, /^one(\/206 )?two\/206 $/);
  assert.deepEqual([head.status, head.headers['x-a']], [206, 'b']);
});

test('silence, the end of the time given and an abort destroy the socket and reject', async () => {
  const started = { clock: new ManualClock(), silenceMs: 1000 };
  const cases = [
    { bounds: started, end: () => started.clock.advance(1000), expected: /nothing came for 1000 ms/ },
    {
      bounds: { ...started, silenceMs: 9000, totalMs: 500 },
      end: () => started.clock.advance(500),
      expected: /no complete answer within 500 ms/,
    },
  ];
  await using node = await scriptedNode({ paths: { '/': frozen } });
  using client = newClient();
  for (const { bounds, end, expected } of cases) {
    const seen = node.count('/');
    const answer = streamAnswer(client, target(node.url), request, bounds, () => true);
    await until(() => node.count('/') > seen, { what: 'the request' });
    end();
    await assert.rejects(answer, expected);
    await until(() => node.sockets().open === 0, { what: 'the socket to be gone' });
  }
  const control = new AbortController();
  const answer = streamAnswer(client, target(node.url), request, { ...started, signal: control.signal }, () => true);
  await until(() => node.count('/') === 3, { what: 'the request' });
  control.abort();
  await assert.rejects(answer, /called off/);
  await until(() => node.sockets().open === 0, { what: 'the socket to be gone' });
  const late = streamAnswer(client, target(node.url), request, { ...started, signal: control.signal }, () => true);
  await assert.rejects(late, /called off/);
});

test('who has read enough leaves the rest, and the socket with it', async () => {
  await using node = await scriptedNode({
    paths: { '/': (_request, reply) => void reply.response.write('x'.repeat(1000)) },
  });
  using client = newClient();
  const bounds = { clock: systemClock, silenceMs: 5000 };
  const head = await streamAnswer(client, target(node.url), request, bounds, () => false);
  assert.equal(head.status, 200);
  await until(() => node.sockets().open === 0, { what: 'the socket to be gone' });
});
