import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEntry, refusalOf, taskIs, tasksOf } from '../support/admin-tasks.ts';
import { startTestControlPlane } from '../support/control-plane.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { scriptedOllama } from '../support/scripted-ollama.ts';
import { temporaryDirectory, testSettings } from '../support/settings.ts';
import { until } from '../support/until.ts';
import { emptySnapshot } from '../../src/fleet/snapshot.ts';

const health = { intervalMs: 100, timeoutMs: 2000 };
const GB = 1024 ** 3;

test('a model goes to the nodes of a tag that lack it, and who is left out is told why', async () => {
  await using one = await scriptedOllama();
  await using two = await scriptedOllama({ disk: { m: 1 } });
  await using other = await scriptedOllama();
  await using plain = await scriptedNode();
  const tags = ['gpu'];
  const nodes = [
    nodeEntry('one', one.url, { tags }),
    nodeEntry('two', two.url, { tags }),
    nodeEntry('other', other.url),
    nodeEntry('plain', plain.url, { tags }),
  ];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }));
  for (const { name } of nodes) await plane.nodeIs(name, 'ready');
  const { status, json } = await plane.api('POST', '/api/models/distribute', { model: 'm', tags });
  const { data, skipped, distribution } = Object(json);
  assert.equal(status, 202);
  assert.deepEqual(
    skipped.map(({ name, code }: { name: string; code: string }) => `${name} ${code}`),
    ['two present', 'plain not_supported'],
  );
  assert.equal(data.length, 1);
  await taskIs(plane, data[0].id, 'done');
  assert.deepEqual([one.pulls.length, two.pulls.length, other.pulls.length], [1, 0, 0]);
  assert.deepEqual(
    (await tasksOf(plane, `?distribution=${distribution}`)).map(({ nodeName }) => nodeName),
    ['one'],
  );
  const again = await plane.api('POST', '/api/models/distribute', { model: 'm', tags });
  assert.deepEqual([again.status, Object(again.json).data], [200, []]);
});

test('a model goes to where its memory suffices, by the size that another node lists', async () => {
  await using small = await scriptedOllama();
  await using large = await scriptedOllama();
  await using unknown = await scriptedOllama({ disk: { m: 20 * GB } });
  const nodes = [
    nodeEntry('small', small.url, { memoryBytes: 16 * GB }),
    nodeEntry('large', large.url, { memoryBytes: 48 * GB }),
    nodeEntry('unknown', unknown.url),
  ];
  await using plane = await startTestControlPlane(testSettings({ health, nodes }));
  for (const { name } of nodes) await plane.nodeIs(name, 'ready');
  const fits = { where: 'fits' };
  const { json } = await plane.api('POST', '/api/models/distribute', { model: 'm', ...fits });
  const { data, skipped } = Object(json);
  assert.deepEqual([data[0].nodeName, data.length], ['large', 1]);
  assert.deepEqual(
    skipped.map(({ name, code }: { name: string; code: string }) => `${name} ${code}`),
    ['small does_not_fit', 'unknown present'],
  );
  const path = '/api/models/distribute';
  assert.match(await refusalOf(plane, path, { model: 'new', ...fits }), /^400 invalid_request: sizeBytes: .*Give it/);
  const sized = await plane.api('POST', path, { model: 'new', sizeBytes: 10 * GB, ...fits });
  assert.deepEqual(
    Object(sized.json).data.map(({ nodeName }: { nodeName: string }) => nodeName),
    ['small', 'large'],
  );
});

test('a distribution that says no nodes, or some that are not there, is refused', async () => {
  await using ollama = await scriptedOllama();
  await using plane = await startTestControlPlane(testSettings({ health, nodes: [nodeEntry('a', ollama.url)] }));
  const path = '/api/models/distribute';
  assert.match(await refusalOf(plane, path, { model: 'm' }), /^400 invalid_request: Say to which nodes/);
  assert.match(await refusalOf(plane, path, { model: 'm', nodes: ['a', 'b'] }), /^404 not_found: There is no node b\./);
  assert.match(await refusalOf(plane, path, { model: 'm', tags: ['x'] }), /^404 not_found: No node has one of these/);
  assert.equal((await tasksOf(plane)).length, 0);
});

test('a fleet is given a model a few nodes at a time, each once', async () => {
  const ollamas = await Promise.all(Array.from({ length: 7 }, () => scriptedOllama({ onPull: () => undefined })));
  const nodes = ollamas.map(({ url }, at) => nodeEntry(`n${at}`, url));
  await using plane = await startTestControlPlane(testSettings({ health, nodes, tasks: { maxPulls: 3 } }));
  for (const { name } of nodes) await plane.nodeIs(name, 'ready');
  await plane.api('POST', '/api/models/distribute', { model: 'm', where: 'all' });
  const pulling = (): number => ollamas.filter(({ pulls }) => pulls.length > 0).length;
  for (let finished = 0; finished < 7; finished += 1) {
    await until(() => pulling() === Math.min(7, finished + 3), { what: `pull ${finished + 3}` });
    assert.equal((await tasksOf(plane, '?state=running')).length, Math.min(3, 7 - finished));
    ollamas[finished]?.pulls[0]?.succeed();
    await until(async () => (await tasksOf(plane, '?state=done')).length === finished + 1, { what: 'its end' });
  }
  assert.deepEqual(new Set(ollamas.map(({ pulls }) => pulls.length)), new Set([1]));
  for (const ollama of ollamas) await ollama[Symbol.asyncDispose]();
});

test('a node that joins and lacks a model of a rule is given it, another is not', async () => {
  await using lacking = await scriptedOllama();
  await using having = await scriptedOllama({ disk: { 'm:latest': 1 } });
  await using untagged = await scriptedOllama();
  const distribution = [{ model: 'm', tags: ['gpu'] }];
  await using plane = await startTestControlPlane(testSettings({ health, distribution }));
  const join = (name: string, url: string, tags: string[]) => plane.api('POST', '/api/nodes', { name, url, tags });
  await join('having', having.url, ['gpu']);
  await join('untagged', untagged.url, []);
  assert.deepEqual(await tasksOf(plane), []);
  await join('lacking', lacking.url, ['gpu']);
  const [task] = await tasksOf(plane);
  assert.deepEqual([task?.nodeName, task?.model, task?.origin], ['lacking', 'm', 'rule']);
  await taskIs(plane, task?.id ?? '', 'done');
  await plane.api('PUT', '/api/nodes/untagged', { url: untagged.url, tags: ['gpu'] });
  const [later] = await tasksOf(plane);
  assert.equal(later?.nodeName, 'untagged');
  await taskIs(plane, later?.id ?? '', 'done');
  assert.equal((await tasksOf(plane)).length, 2);
});

test('a node that comes back without the model is given it again, unless an administrator had cancelled that', async () => {
  const dataDir = temporaryDirectory();
  const first = await scriptedOllama();
  const settings = testSettings({
    health,
    dataDir,
    distribution: [{ model: 'm', tags: null }],
    nodes: [nodeEntry('a', first.url)],
  });
  await using plane = await startTestControlPlane(settings);
  await until(async () => (await tasksOf(plane, '?state=done')).length === 1, { what: 'the pull at the start' });
  await first[Symbol.asyncDispose]();
  await plane.nodeIs('a', 'offline');
  const second = await scriptedOllama({ port: first.port, onPull: () => undefined });
  await until(() => second.pulls.length === 1, { what: 'the pull after the return' });
  const [task] = await tasksOf(plane, '?state=running');
  await plane.api('DELETE', `/api/tasks/${task?.id}`);
  await second[Symbol.asyncDispose]();
  await plane.nodeIs('a', 'offline');
  await using third = await scriptedOllama({ port: first.port });
  await plane.nodeIs('a', 'ready');
  assert.deepEqual([(await tasksOf(plane)).length, third.pulls.length], [2, 0]);
});

test('a control plane that takes over a fleet which is ready already looks at its rules, too', async () => {
  await using ollama = await scriptedOllama();
  const settings = { health, dataDir: temporaryDirectory(), nodes: [nodeEntry('a', ollama.url)] };
  let before = emptySnapshot;
  {
    await using plane = await startTestControlPlane(testSettings(settings));
    await plane.nodeIs('a', 'ready');
    before = plane.snapshot();
  }
  const ruled = testSettings({ ...settings, distribution: [{ model: 'm', tags: null }] });
  await using plane = await startTestControlPlane(ruled, { resume: before });
  await until(async () => (await tasksOf(plane, '?state=done')).length === 1, { what: 'the pull of the rule' });
});
