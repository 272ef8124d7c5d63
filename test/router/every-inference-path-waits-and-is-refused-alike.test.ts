import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { poolOf } from '../../src/data-plane/attempt/node-request.ts';
import { held, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode, type ScriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter, type TestRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';

const everywhere = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'];

/** What nodes of one kind or the other have; together every path at which a node computes. */
const paths = {
  ollama: [...everywhere, '/v1/messages', '/api/chat', '/api/generate', '/api/embed', '/api/embeddings'],
  openai: [...everywhere, '/v1/rerank', '/v1/moderations', '/v1/images/generations', '/v1/audio/speech'],
};

type Kind = keyof typeof paths;

const body = JSON.stringify({ model: 'llama3', stream: false, prompt: 'x', input: 'x', messages: [] });

/**
 * A router over one node with one slot, and room for 5 waiters, of whom newcomers may be 4. Another node with another
 * model stays idle, or full rooms would be refused at the gate, before admission is asked.
 */
async function start(
  t: TestContext,
  engine: Kind,
  answer: Scripted,
): Promise<{ node: ScriptedNode; router: TestRouter }> {
  const node = await scriptedNode({
    paths:
      engine === 'openai'
        ? {}
        : {
            '/api/version': (_request, reply) => reply.json(200, { version: '0.9.0' }),
            '/api/tags': (_request, reply) =>
              reply.json(200, { models: [{ name: 'llama3:latest', model: 'llama3:latest' }] }),
            '/api/ps': (_request, reply) => reply.json(200, { models: [] }),
          },
    answer,
  });
  const idle = await scriptedNode({ models: ['other'] });
  t.after(() => Promise.all([node.close(), idle.close()]));
  const busy = nodeSettings('n', node.url, { engine, maxConcurrent: 1 });
  const nodes = [busy, nodeSettings('idle', idle.url, { engine: 'openai' })];
  const router = await startRouter({ nodes, queue: { maxWaiters: 5, maxShare: 1 } });
  t.after(() => router.app.stop());
  await router.settled;
  return { node, router };
}

function post(router: TestRouter, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', headers, body });
}

const whole: Scripted = (_request, reply) => reply.json(200, { model: 'llama3', done: true });

const kinds = ['ollama', 'openai'] as const;

test('every inference path waits for a slot, times out after its wait, and is refused when the room is full', async (t) => {
  for (const kind of kinds) await waitsAndIsRefused(t, kind);
});

async function waitsAndIsRefused(t: TestContext, kind: Kind): Promise<void> {
  const gate = held(whole);
  const { router } = await start(t, kind, gate.answer);
  const { dataPlane } = router.app;
  const running = post(router, '/v1/chat/completions');
  await until(() => gate.waiting() === 1, { what: 'the first request to reach the node' });
  for (const path of paths[kind]) {
    const answer = await post(router, path, { 'x-weir-max-wait-ms': '30' });
    assert.equal(answer.status, 504, path);
    assert.match(await answer.text(), /"wait_timeout"/, path);
  }
  const waiting = Array.from({ length: 4 }, () => post(router, '/v1/chat/completions'));
  await until(() => dataPlane.gauges().waiters === 4, { what: 'four requests to wait' });
  for (const path of paths[kind]) {
    const answer = await post(router, path, { 'x-weir-max-wait-ms': '2000' });
    assert.equal(answer.status, 503, path);
    assert.ok(Number(answer.headers.get('retry-after')) >= 1, path);
    assert.match(await answer.text(), /"capacity_exceeded"/, path);
  }
  gate.release();
  const answers = await Promise.all([running, ...waiting]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  await until(() => dataPlane.gauges().openRequests === 0, { what: 'the last request to be settled' });
  assert.equal(dataPlane.gauges().openLeases, 0);
}

test('every inference path goes out over the shared client, all on one reused socket', async (t) => {
  for (const kind of kinds) {
    const { node, router } = await start(t, kind, whole);
    for (const path of paths[kind]) {
      const answer = await post(router, path);
      assert.equal(answer.status, 200, path);
      await answer.text();
      assert.equal(node.count(path), 1, path);
    }
    const [registered] = router.app.dataPlane.snapshot.nodes;
    assert.ok(registered);
    assert.deepEqual(router.app.httpClient.sockets(poolOf(registered)), { idle: 1, busy: 0, opened: 1 });
  }
});
