import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEntry, taskIs, tasksOf } from '../support/admin-tasks.ts';
import { startTestControlPlane } from '../support/control-plane.ts';
import { type OllamaPull, scriptedOllama } from '../support/scripted-ollama.ts';
import { testSettings } from '../support/settings.ts';
import { until } from '../support/until.ts';

const health = { intervalMs: 60_000, timeoutMs: 2000 };

test('a pull goes out over the shared client, shows how far it is, and when it is done requests can use the model', async () => {
  await using ollama = await scriptedOllama({ onPull: () => undefined });
  const nodes = [nodeEntry('a', ollama.url, { apiKey: 'key-of-a' })];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }));
  await plane.nodeIs('a', 'ready');
  const opened = ollama.node.sockets().opened;
  const begun = await plane.api('POST', '/api/nodes/a/models/pull', { model: 'llama3.2:3b' });
  const { id } = Object(begun.json);
  assert.deepEqual([begun.status, begun.headers.get('location')], [202, `/api/tasks/${id}`]);
  const pull = await until(() => ollama.pulls[0], { what: 'the pull' });
  const asked = ollama.node.requests.find(({ path }) => path === '/api/pull');
  assert.deepEqual([asked?.headers.authorization, pull.model], ['Bearer key-of-a', 'llama3.2:3b']);
  assert.equal(ollama.node.sockets().opened, opened, 'it came over a socket that the probes had opened');

  pull.say({ status: 'pulling manifest' });
  const manifest = await taskIs(plane, id, ({ detail }) => detail === 'pulling manifest');
  assert.deepEqual([manifest.state, manifest.totalBytes], ['running', null]);
  pull.progress(300, 1000);
  pull.say({ status: 'pulling b', digest: 'sha256:b', total: 500, completed: 500 });
  const half = await taskIs(plane, id, ({ totalBytes }) => totalBytes === 1500);
  assert.deepEqual([half.completedBytes, half.detail], [800, 'pulling b']);
  assert.equal(plane.snapshot().models.size, 0);
  pull.succeed();
  const done = await taskIs(plane, id, 'done');
  assert.deepEqual([...plane.snapshot().models.keys()], ['llama3.2:3b']);
  assert.deepEqual([done.attempts, done.completedBytes, done.detail], [1, 1500, null]);
  assert.ok((done.endedAt ?? 0) >= (done.startedAt ?? Infinity));
});

test('whoever asks for a pull that is under way gets that one', async () => {
  await using ollama = await scriptedOllama({ onPull: () => undefined });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  await plane.nodeIs('a', 'ready');
  const ask = (model: string) => plane.api('POST', '/api/nodes/a/models/pull', { model });
  const answers = await Promise.all([ask('m'), ask('m'), ask('m:latest')]);
  assert.deepEqual(answers.map(({ status }) => `${status}`).toSorted(), ['200', '200', '202']);
  assert.equal(new Set(answers.map(({ json }) => Object(json).id)).size, 1);
  assert.equal((await tasksOf(plane)).length, 1);
  await until(() => ollama.pulls.length === 1, { what: 'one pull' });
});

test('a pull that breaks in its middle is tried again and comes out right', async () => {
  await using ollama = await scriptedOllama({ onPull: (pull) => pull.progress(100 * (pull.nth + 1), 1000) });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  await plane.nodeIs('a', 'ready');
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json);
  await taskIs(plane, id, ({ completedBytes }) => completedBytes === 100);
  ollama.pulls[0]?.breakOff();
  const paused = await taskIs(plane, id, ({ nextAttemptAt }) => nextAttemptAt !== null);
  assert.equal(paused.state, 'queued');
  assert.match(paused.detail ?? '', /The node broke off: /);
  await taskIs(plane, id, ({ completedBytes }) => completedBytes === 200);
  ollama.pulls[1]?.succeed();
  const done = await taskIs(plane, id, 'done');
  assert.equal(done.attempts, 2);
});

function failDifferently(pull: OllamaPull): void {
  if (pull.nth === 0) return pull.end();
  pull.say(
    pull.nth === 1
      ? { error: 'max retries exceeded: unexpected EOF' }
      : { error: 'pull model manifest: file does not exist' },
  );
  pull.end();
}

test('an answer that ends without success, and an error that may pass, are no end; one that stays is', async () => {
  await using ollama = await scriptedOllama({ onPull: failDifferently });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  await plane.nodeIs('a', 'ready');
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'no-such' })).json);
  await taskIs(plane, id, ({ detail }) => /ended in its middle/.test(detail ?? ''));
  await taskIs(plane, id, ({ detail }) => /unexpected EOF/.test(detail ?? ''));
  const failed = await taskIs(plane, id, 'failed');
  assert.deepEqual([failed.attempts, failed.code], [3, 'pull_failed']);
  const { text: metrics } = await plane.api('GET', '/metrics');
  assert.match(metrics, /^weir_tasks\{kind="pull",state="failed"\} 1$/m);
  assert.match(metrics, /^weir_tasks\{kind="pull",state="running"\} 0$/m);
  assert.match(failed.detail ?? '', /cannot pull it: pull model manifest: file does not exist/);
});

test('cancelling leaves the stream, so that the engine stops, and the node may be asked anew', async () => {
  await using ollama = await scriptedOllama({ onPull: (pull) => pull.progress(1, 2) });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  await plane.nodeIs('a', 'ready');
  const ask = () => plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' });
  const { id } = Object((await ask()).json);
  const pull = await until(() => ollama.pulls[0], { what: 'the pull' });
  const cancelled = await plane.api('DELETE', `/api/tasks/${id}`);
  assert.deepEqual([cancelled.status, Object(cancelled.json).state], [200, 'cancelled']);
  await pull.gone;
  assert.equal((await plane.api('DELETE', `/api/tasks/${id}`)).status, 409);
  assert.equal((await plane.api('DELETE', '/api/tasks/nobody')).status, 404);
  assert.equal((await ask()).status, 202);
});

test('following a task gives each change and ends with it', async () => {
  await using ollama = await scriptedOllama({ onPull: () => undefined });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  await plane.nodeIs('a', 'ready');
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json);
  const pull = await until(() => ollama.pulls[0], { what: 'the pull' });
  const following = plane.api('GET', `/api/tasks/${id}?follow=1`);
  pull.say({ status: 'pulling manifest' });
  pull.succeed();
  const { headers, text } = await following;
  assert.equal(headers.get('content-type'), 'text/event-stream');
  const states = Array.from(text.matchAll(/^data: (.*)$/gm), ([, data]) => Object(JSON.parse(data ?? '')).state);
  assert.deepEqual([states[0], states.at(-1)], ['running', 'done']);
});
