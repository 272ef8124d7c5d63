import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEntry, taskIs, taskOf, tasksOf } from '../support/admin-tasks.ts';
import { startTestControlPlane } from '../support/control-plane.ts';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedOllama } from '../support/scripted-ollama.ts';
import { temporaryDirectory, testSettings } from '../support/settings.ts';
import { until } from '../support/until.ts';
import { emptySnapshot } from '../../src/fleet/snapshot.ts';

const health = { intervalMs: 100, timeoutMs: 2000 };

test('a pull in whose middle the router stops is taken up again by the next one, and its history is there', async () => {
  await using ollama = await scriptedOllama({ onPull: (pull) => pull.progress(400 * (pull.nth + 1), 1000) });
  const settings = testSettings({ health, dataDir: temporaryDirectory(), nodes: [nodeEntry('a', ollama.url)] });
  let id = '';
  let before = emptySnapshot;
  {
    await using plane = await startTestControlPlane(settings);
    await plane.nodeIs('a', 'ready');
    id = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json).id;
    await taskIs(plane, id, ({ completedBytes }) => completedBytes === 400);
    before = plane.snapshot();
  }
  await ollama.pulls[0]?.gone;
  {
    // This time as after a crash: the fleet is taken over as it was, so that no node becomes ready anew.
    await using plane = await startTestControlPlane(settings, { resume: before });
    const again = await taskIs(plane, id, ({ completedBytes }) => completedBytes === 800);
    assert.deepEqual([again.state, again.interruptions, again.attempts], ['running', 1, 2]);
    ollama.pulls[1]?.succeed();
    await taskIs(plane, id, 'done');
    assert.deepEqual([...plane.snapshot().models.keys()], ['m']);
  }
  await using plane = await startTestControlPlane(settings);
  const { state, attempts, interruptions } = await taskOf(plane, id);
  assert.deepEqual([state, attempts, interruptions], ['done', 2, 1]);
  await plane.nodeIs('a', 'ready');
  assert.equal(ollama.pulls.length, 2);
});

test('what was to be pulled onto a node that is gone by then says so', async () => {
  const ollama = await scriptedOllama({ onPull: () => undefined });
  const dataDir = temporaryDirectory();
  let id = '';
  {
    await using plane = await startTestControlPlane(
      testSettings({ health, dataDir, nodes: [nodeEntry('a', ollama.url)] }),
    );
    await plane.nodeIs('a', 'ready');
    id = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json).id;
    await until(() => ollama.pulls.length === 1, { what: 'the pull' });
  }
  await ollama[Symbol.asyncDispose]();
  await using plane = await startTestControlPlane(testSettings({ health, dataDir }));
  const task = await taskIs(plane, id, 'failed');
  assert.deepEqual([task.code, task.detail], ['node_gone', 'Its node was removed.']);
});

test('a pull waits for a node that is away, and goes on when it is back', async () => {
  const ollama = await scriptedOllama({ onPull: (pull) => pull.progress(1, 2) });
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  await plane.nodeIs('a', 'ready');
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json);
  await taskIs(plane, id, ({ completedBytes }) => completedBytes === 1);
  await ollama[Symbol.asyncDispose]();
  await plane.nodeIs('a', 'offline');
  await taskIs(plane, id, ({ detail }) => detail === 'It waits for its node to come back.');
  await using back = await scriptedOllama({ port: ollama.port });
  await taskIs(plane, id, 'done');
  assert.equal(back.pulls.length, 1);
});

test('a pull from a node that fell silent is left, and taken up again when it answers', async () => {
  let isFrozen = false;
  const tags: Scripted = (_request, reply) => {
    if (!isFrozen) reply.json(200, { models: [] });
  };
  await using ollama = await scriptedOllama({
    onPull: (pull) => (pull.nth === 0 ? pull.progress(1, 2) : pull.succeed()),
    paths: { '/api/tags': tags },
  });
  const quick = { intervalMs: 100, timeoutMs: 200 };
  const nodes = [nodeEntry('a', ollama.url, { engine: 'ollama' })];
  await using plane = await startTestControlPlane(testSettings({ health: quick, nodes }));
  await plane.nodeIs('a', 'ready');
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json);
  await taskIs(plane, id, ({ completedBytes }) => completedBytes === 1);
  isFrozen = true;
  await taskIs(plane, id, ({ detail }) => detail === 'It waits for its node to come back.');
  await ollama.pulls[0]?.gone;
  isFrozen = false;
  const { attempts } = await taskIs(plane, id, 'done');
  assert.equal(attempts, 2);
});

test('removing a node ends what is done to it', async () => {
  await using ollama = await scriptedOllama({ onPull: () => undefined });
  await using plane = await startTestControlPlane(testSettings({ health }));
  await plane.api('POST', '/api/nodes', { name: 'a', url: ollama.url });
  await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' });
  await plane.api('POST', '/api/nodes/a/models/pull', { model: 'n' });
  const pull = await until(() => ollama.pulls[0], { what: 'the pull' });
  await plane.api('DELETE', '/api/nodes/a');
  await pull.gone;
  const ended = (await tasksOf(plane)).map(({ model, state, code }) => [model, state, code]);
  assert.deepEqual(ended, [
    ['n', 'failed', 'node_gone'],
    ['m', 'failed', 'node_gone'],
  ]);
});

test('a pull onto a node that is given another address begins anew at that one', async () => {
  await using first = await scriptedOllama({ onPull: (pull) => pull.progress(1, 2) });
  await using second = await scriptedOllama();
  await using plane = await startTestControlPlane(testSettings({ health }));
  await plane.api('POST', '/api/nodes', { name: 'a', url: first.url });
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models/pull', { model: 'm' })).json);
  await taskIs(plane, id, ({ completedBytes }) => completedBytes === 1);
  await plane.api('PUT', '/api/nodes/a', { url: second.url });
  await first.pulls[0]?.gone;
  await taskIs(plane, id, 'done');
  assert.deepEqual([second.pulls.length, second.disk.has('m'), first.disk.has('m')], [1, true, false]);
});
