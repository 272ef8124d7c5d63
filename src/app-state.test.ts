import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held } from '../test/support/scripted-answers.ts';
import { scriptedNode } from '../test/support/scripted-node.ts';
import { testSettings } from '../test/support/settings.ts';
import { until } from '../test/support/until.ts';
import { startApp } from './app-state.ts';
import { poolOf } from './data-plane/attempt/node-request.ts';

test('AppState starts every part and stops them in reverse, letting a running answer finish', async (t) => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  const settled = Promise.withResolvers<void>();
  const nodes = [{ name: 'gpu-1', url: node.url, engine: 'openai', headers: {} }] as const;
  const hooks = { listening: () => undefined, settled: () => settled.resolve() };
  const app = await startApp(testSettings({ nodes }), hooks);
  t.after(() => app.stop());
  await settled.promise;
  const [registered] = app.dataPlane.snapshot.nodes;
  assert.ok(registered);
  const body = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hi' }] });
  const ask = (): Promise<Response> => fetch(`${app.server.url}/v1/chat/completions`, { method: 'POST', body });

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
  assert.deepEqual(app.httpClient.sockets(poolOf(registered)), { idle: 0, busy: 0, opened: 0 });
});
