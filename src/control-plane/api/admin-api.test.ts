import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestControlPlane, refusal } from '../../../test/support/control-plane.ts';
import { temporaryDirectory, testSettings } from '../../../test/support/settings.ts';
import { until } from '../../../test/support/until.ts';

test('a wrong body is refused by field, with what to write', async () => {
  await using plane = await startTestControlPlane(testSettings());
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{"url":', /^400 invalid_json: .*JSON/],
    [[], /^400 invalid_request: /],
    [{}, /^400 invalid_request: url: must be a URL like/],
    [{ url: 'nonsense' }, /^400 invalid_request: url: is not a URL/],
    [{ url: 'http://u:p@host' }, /^400 invalid_request: url: must not contain a user name/],
    [{ url: 'http://host', engine: 'oobabooga' }, /^400 invalid_request: engine: .*"ollama"/],
    [{ url: 'http://host', maxConcurrent: 0 }, /^400 invalid_request: maxConcurrent: must be at least 1/],
    [{ url: 'http://host', maxConcurent: 4 }, /^400 invalid_request: .*maxConcurent/],
    [{ url: 'http://host', name: 'a b' }, /^400 invalid_request: name: must be 1 to 64 printable/],
    [{ url: 'http://host', timeouts: { connect: '5' } }, /^400 invalid_request: timeouts\.connect: .*"30s"/],
    [
      { url: 'http://host', headers: { 'Content-Length': '5' } },
      /^400 invalid_request: headers\.Content-Length: .*the router sets this header itself/,
    ],
    [{ url: 'http://host', headers: { 'x-a': 'a\r\nb' } }, /^400 invalid_request: headers\.x-a: must be one line/],
    [{ url: 'http://host', tags: ['a b'] }, /^400 invalid_request: tags\.0: must be 1 to 64 letters/],
    [{ url: 'http://host', memory: 24 }, /^400 invalid_request: memory: /],
    [{ url: 'http://host', memory: '24' }, /^400 invalid_request: memory: must be a size like "24gb"/],
    [{ url: 'http://host', logsUrl: '/var/log' }, /^400 invalid_request: logsUrl: is not a URL/],
    [{ url: 'http://host', tls: { ca: '/etc/ca.pem' } }, /^400 invalid_request: tls\.ca: must be PEM text/],
  ];
  for (const [body, expected] of cases) {
    assert.match(await refusal(plane, 'POST', '/api/nodes', body), expected);
  }
  assert.deepEqual((await plane.api('GET', '/api/nodes')).json, { data: [] });
});

test('a body over 1 MB is 413, a wrong method 405 with Allow, an unknown path 404, and one still to be built 501', async () => {
  await using plane = await startTestControlPlane(testSettings());
  assert.match(await refusal(plane, 'POST', '/api/nodes', 'x'.repeat(3 * 1024 * 1024)), /^413 body_too_large/);
  const wrong = await plane.api('DELETE', '/api/nodes');
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, POST']);
  assert.match(await refusal(plane, 'GET', '/api/nope'), /^404 not_found/);
  assert.match(await refusal(plane, 'GET', '/api/nodes/nope'), /^404 not_found: There is no node nope/);
  const dashboard = await plane.api('GET', '/dashboard');
  assert.deepEqual([dashboard.status, dashboard.headers.get('content-type')], [501, 'text/html; charset=utf-8']);
});

test('a write is answered when the data plane places by it, not before', async () => {
  await using plane = await startTestControlPlane(testSettings(), { applies: false });
  let isAnswered = false;
  const created = plane.api('POST', '/api/keys', { label: 'a' }).finally(() => {
    isAnswered = true;
  });
  await until(() => plane.snapshot().keys.size === 1, { what: 'the snapshot with the key' });
  assert.equal((await plane.api('GET', '/api/keys')).status, 200);
  assert.equal(isAnswered, false);
  plane.send({ kind: 'applied', version: plane.snapshot().version });
  assert.equal((await created).status, 201);
  assert.ok(!(await plane.api('GET', '/api/logs')).text.includes('not taken a change in time'));
});

test('a write answers although the data plane does not, and the node’s counts are then unknown', async () => {
  await using plane = await startTestControlPlane(testSettings(), { applies: false, gauges: null });
  const created = await plane.api('POST', '/api/keys', { label: 'a' });
  assert.equal(created.status, 201);
  const stats = Object((await plane.api('GET', '/api/stats')).json);
  assert.deepEqual([stats.gauges, stats.nodes], [null, []]);
});

test('a write that the store cannot keep changes nothing and says why', async () => {
  const dataDir = temporaryDirectory();
  await using plane = await startTestControlPlane(testSettings({ dataDir }));
  const { DatabaseSync } = await import('node:sqlite');
  const other = new DatabaseSync(join(dataDir, 'weir.db'));
  other.exec('BEGIN IMMEDIATE');
  assert.match(await refusal(plane, 'POST', '/api/keys', { label: 'a' }), /^503 store_unavailable: .*locked/);
  assert.match(await refusal(plane, 'POST', '/api/nodes', { url: 'http://127.0.0.1:9' }), /^503 store_unavailable/);
  assert.deepEqual([plane.snapshot().keys.size, plane.snapshot().nodes], [0, []]);
  other.exec('ROLLBACK');
  assert.equal((await plane.api('POST', '/api/keys', { label: 'a' })).status, 201);
});

test('the settings in force are shown without their secrets', async () => {
  const nodes = [
    {
      name: 'a',
      url: 'http://127.0.0.1:9',
      engine: 'auto',
      headers: { 'x-k': 'hidden-1' },
      apiKey: 'hidden-2',
      tls: { key: 'hidden-3' },
    },
  ] as const;
  await using plane = await startTestControlPlane(testSettings({ nodes, admin: { token: 'hidden-4' } }));
  const { json, text } = await plane.api('GET', '/api/settings');
  assert.ok(!text.includes('hidden'), text);
  assert.deepEqual([Object(json).admin.token, Object(json).queue.maxWaiters], ['***', 1024]);
});

test('a token made at the first start is told once and kept for us alone', async () => {
  const settings = testSettings({ admin: { token: null }, dataDir: temporaryDirectory() });
  const told: unknown[] = [];
  for (let start = 0; start < 2; start += 1) {
    await using plane = await startTestControlPlane(settings);
    const token = readFileSync(join(settings.dataDir, 'admin-token'), 'utf8').trim();
    assert.equal((await plane.api('GET', '/api/nodes', undefined, { authorization: `Bearer ${token}` })).status, 200);
    const started = plane.messages.find(({ kind }) => kind === 'started');
    told.push(started?.kind === 'started' ? started.adminToken : 'not started');
    assert.equal(told[0], token);
  }
  assert.equal(told[1], null);
  assert.equal(statSync(join(settings.dataDir, 'admin-token')).mode & 0o777, 0o600);
});
