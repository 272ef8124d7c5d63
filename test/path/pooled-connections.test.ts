import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { chat, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';

/** `count` requests for a path, `lanes` of them in flight. */
async function crowd(router: TestDataPlane, path: string, count: number, lanes: number): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await fetch(router.url + path, { method: 'POST', body: '{"model":"llama3","stream":false}' });
      assert.equal(response.status, 200);
      await response.text();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

const ollamaAnswer: Scripted = (_request, reply) => reply.json(200, { model: 'llama3', response: 'hi', done: true });

test('OpenAI requests share the pool: 300 at 8 in flight use at most 12 sockets to a node', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, slots: 64 }]);
  await crowd(router, '/v1/chat/completions', 300, 8);
  assert.equal(node.requests.length, 300);
  assert.ok(node.sockets().opened <= 12, `${node.sockets().opened} sockets`);
});

test('requests to /api/chat and /api/generate share the pool', async () => {
  await using node = await scriptedNode(ollamaAnswer);
  await using router = await startDataPlane([{ url: node.url, slots: 64, engine: 'ollama' }]);
  await crowd(router, '/api/chat', 30, 4);
  await crowd(router, '/api/generate', 30, 4);
  assert.equal(node.requests.length, 60);
  assert.ok(node.sockets().opened <= 8, `${node.sockets().opened} sockets`);
});

test('a node that closes idle connections never costs a client an error', async () => {
  const timers = new Map<Socket, NodeJS.Timeout>();
  await using node = await scriptedNode((request, reply) => {
    const { socket } = reply;
    clearTimeout(timers.get(socket));
    reply.response.once('finish', () => {
      timers.set(
        socket,
        setTimeout(() => socket.end(), 150),
      );
    });
    return chat(request, reply);
  });
  await using router = await startDataPlane([{ url: node.url, slots: 64 }]);
  const lane = async (number: number): Promise<void> => {
    for (let sent = 0; sent < 10; sent += 1) {
      const response = await router.chat();
      assert.equal(response.status, 200);
      await response.text();
      // Around the age at which the node closes.
      await delay(146 + ((sent * 7 + number) % 9));
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => lane(number)));
  for (const { attempts, outcome } of await router.settled(200)) {
    assert.deepEqual([outcome, attempts.length], ['served', 1], 'not even a second attempt');
  }
});
