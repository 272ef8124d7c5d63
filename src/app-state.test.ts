import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { held } from '../test/support/scripted-answers.ts';
import { scriptedNode, type Script, type ScriptedNode } from '../test/support/scripted-node.ts';
import { testSettings } from '../test/support/settings.ts';
import { until } from '../test/support/until.ts';
import { type AppState, startApp } from './app-state.ts';
import { poolOf } from './data-plane/attempt/node-request.ts';

interface Running {
  readonly app: AppState;
  readonly node: ScriptedNode;
  readonly ask: () => Promise<Response>;
}

async function start(t: TestContext, script: Script = {}): Promise<Running> {
  const node = await scriptedNode(script);
  t.after(() => node.close());
  const settled = Promise.withResolvers<void>();
  const nodes = [{ name: 'gpu-1', url: node.url, engine: 'openai', headers: {} }] as const;
  const hooks = { listening: () => undefined, settled: () => settled.resolve(), failed: () => undefined };
  const app = await startApp(testSettings({ nodes }), hooks);
  t.after(() => app.stop());
  await settled.promise;
  const body = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hi' }] });
  return { app, node, ask: () => fetch(`${app.server.url}/v1/chat/completions`, { method: 'POST', body }) };
}

function socketsOf({ httpClient, dataPlane }: AppState): { readonly idle: number; readonly opened: number } {
  const [node] = dataPlane.snapshot.nodes;
  assert.ok(node);
  return httpClient.sockets(poolOf(node));
}

test('AppState has a shared HTTP client', async (t) => {
  const { app, node, ask } = await start(t);
  for (let nth = 1; nth <= 5; nth += 1) {
    const answer = await ask();
    assert.equal(answer.status, 200);
    await answer.text();
  }
  assert.equal(node.count('/v1/chat/completions'), 5);
  // One after the other: five requests over one socket, and that socket is known to AppState's client.
  assert.deepEqual(socketsOf(app), { idle: 1, busy: 0, opened: 1 });
});

test('AppState starts every part and stops them in reverse, letting a running answer finish', async (t) => {
  const gate = held();
  const { app, ask } = await start(t, { answer: gate.answer });
  const running = ask();
  await until(() => gate.waiting() === 1, { what: 'the request to reach the node' });
  const stopped = app.stop();
  const refused = await ask();
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /"draining"/);
  gate.release();
  assert.equal((await running).status, 200);
  await stopped;
  await assert.rejects(ask());
  assert.equal(socketsOf(app).idle, 0);
});
