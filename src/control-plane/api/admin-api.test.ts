import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { idleGauges, startTestControlPlane, type TestControlPlane } from '../../../test/support/control-plane.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { temporaryDirectory, testSettings } from '../../../test/support/settings.ts';
import { testAttempt, testSettlement } from '../../../test/support/settlement.ts';
import { packSettlements } from '../../fleet/settlement-batch.ts';
import { until } from '../../../test/support/until.ts';

const health = { intervalMs: 50, timeoutMs: 500 };

async function refusal(plane: TestControlPlane, method: string, path: string, body?: unknown): Promise<string> {
  const answer = await plane.api(method, path, body);
  const { code, message } = Object(Object(answer.json).error);
  assert.equal(typeof message, 'string', answer.text);
  return `${answer.status} ${code}: ${message}`;
}

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

test('a configured node may be drained and resumed, and neither changed nor removed', async () => {
  await using node = await scriptedNode();
  const settings = testSettings({ health, nodes: [{ name: 'a', url: node.url, engine: 'auto', headers: {} }] });
  await using plane = await startTestControlPlane(settings);
  await plane.nodeIs('a', 'ready');
  assert.match(await refusal(plane, 'DELETE', '/api/nodes/a'), /^409 managed_by_config: .*configuration/);
  assert.match(await refusal(plane, 'PUT', '/api/nodes/a', { url: node.url }), /^409 managed_by_config/);
  assert.match(await refusal(plane, 'POST', '/api/nodes', { name: 'a', url: node.url }), /^409 name_taken/);
  const drained = await plane.api('POST', '/api/nodes/a/drain');
  assert.deepEqual(
    [drained.status, Object(drained.json).draining, plane.snapshot().nodes[0]?.draining],
    [200, true, true],
  );
  const resumed = await plane.api('POST', '/api/nodes/a/resume');
  assert.deepEqual(
    [resumed.status, Object(resumed.json).draining, plane.snapshot().nodes[0]?.draining],
    [200, false, false],
  );
  const probes = Object((await plane.api('POST', '/api/nodes/a/probe')).json);
  assert.equal(probes.state, 'ready');
  assert.equal(typeof probes.lastProbeAt, 'number');
});

test('a node is changed in force, keeps a masked secret, and never shows it', async () => {
  await using first = await scriptedNode({ models: ['old'] });
  await using second = await scriptedNode({ models: ['new'] });
  await using plane = await startTestControlPlane(testSettings({ health }));
  const entry = { name: 'n', url: first.url, apiKey: 'hush', headers: { 'x-secret': 'quiet' } };
  const id = Object((await plane.api('POST', '/api/nodes', entry)).json).id;
  const change = {
    ...entry,
    name: 'renamed',
    url: second.url,
    apiKey: '***',
    headers: { 'x-secret': '***' },
    models: null,
  };
  const changed = await plane.api('PUT', `/api/nodes/${id}`, change);
  assert.equal(changed.status, 200, changed.text);
  assert.ok(!/hush|quiet/.test(changed.text));
  assert.deepEqual([Object(changed.json).name, Object(changed.json).models], ['renamed', ['new']]);
  const node = plane.snapshot().nodes[0];
  assert.deepEqual([node?.name, node?.apiKey, node?.headers], ['renamed', 'hush', { 'x-secret': 'quiet' }]);
  assert.deepEqual([...plane.snapshot().models.keys()], ['new']);
  assert.equal(second.requests.at(-1)?.headers.authorization, 'Bearer hush');
  const listed = await plane.api('GET', '/api/nodes/renamed/models');
  assert.deepEqual(Object(listed.json).data[0].upstream, 'new');
  await plane.api('PUT', `/api/nodes/${id}`, { url: second.url });
  assert.equal(plane.snapshot().nodes[0]?.apiKey, null);
});

test('a node may be given tags, its memory and where its log is, and shows them', async () => {
  await using plane = await startTestControlPlane(testSettings());
  await using node = await scriptedNode();
  const upkeep = { tags: ['gpu', 'gpu', 'site=a'], memory: '24gb', logsUrl: `${node.url}/log?service=a` };
  const created = await plane.api('POST', '/api/nodes', { url: node.url, ...upkeep });
  const { tags, memoryBytes, logsUrl } = Object(created.json);
  assert.deepEqual([tags, memoryBytes, logsUrl], [['gpu', 'site=a'], 24 * 1024 ** 3, upkeep.logsUrl]);
});

test("the router's own address is no node", async () => {
  await using plane = await startTestControlPlane(testSettings({ listen: { host: '127.0.0.1', port: 9347 } }));
  assert.match(await refusal(plane, 'POST', '/api/nodes', { url: 'http://localhost:9347/v1' }), /^400 .*own address/);
});

test('a key is shown once, kept as a hash, in force at once, and gone at once', async () => {
  const settings = testSettings({ dataDir: temporaryDirectory() });
  await using plane = await startTestControlPlane(settings);
  const body = {
    label: 'team',
    models: ['llama3:latest'],
    maxConcurrent: 2,
    ratePerMinute: 60,
    maxPriority: 'high',
    maxDeadline: '90s',
    mayManage: true,
    resume: false,
    expiresAt: '2030-01-01T00:00:00Z',
  };
  const created = await plane.api('POST', '/api/keys', body);
  assert.equal(created.status, 201, created.text);
  const { id, key } = Object(created.json);
  assert.match(key, /^weir_[\w-]{43}$/);
  const hash = createHash('sha256').update(key).digest('hex');
  assert.deepEqual(plane.snapshot().keys.get(hash), {
    id,
    label: 'team',
    expiresAt: Date.UTC(2030, 0, 1),
    models: ['llama3'],
    weight: 1,
    maxConcurrent: 2,
    ratePerMinute: 60,
    maxPriority: 'high',
    maxDeadlineMs: 90_000,
    mayManage: true,
    resume: false,
  });
  const listed = await plane.api('GET', '/api/keys');
  assert.ok(!listed.text.includes(key) && !listed.text.includes(hash));
  assert.equal(Object(listed.json).data[0].label, 'team');
  assert.equal((await plane.api('DELETE', `/api/keys/${id}?abort=true`)).status, 204);
  assert.equal(plane.snapshot().keys.size, 0);
  assert.deepEqual(
    plane.messages.findLast(({ kind }) => kind === 'abort'),
    { kind: 'abort', keyId: id },
  );
  assert.match(await refusal(plane, 'DELETE', `/api/keys/${id}`), /^404 not_found/);
  assert.match(await refusal(plane, 'POST', '/api/keys', { label: '' }), /^400 invalid_request: label/);
});

test('declared keys are in force, keep their id over a restart, and are changed only where they are declared', async () => {
  const declared = {
    label: 'ci',
    hash: 'ab'.repeat(32),
    expiresAt: null,
    models: null,
    weight: 2,
    maxConcurrent: null,
    ratePerMinute: null,
    maxPriority: 'normal' as const,
    maxDeadlineMs: null,
    mayManage: false,
    resume: true,
  };
  const ids: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    await using plane = await startTestControlPlane(testSettings({ auth: { keys: [declared] } }));
    const snapshotKey = plane.snapshot().keys.get(declared.hash);
    assert.equal(snapshotKey?.weight, 2);
    ids.push(snapshotKey?.id ?? '');
    assert.match(await refusal(plane, 'DELETE', `/api/keys/${snapshotKey?.id}`), /^409 managed_by_config/);
  }
  assert.equal(ids[0], ids[1]);
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

test('the history is listed with filters and pages, and a request shows its attempts', async () => {
  await using plane = await startTestControlPlane(testSettings());
  const settlements = Array.from({ length: 5 }, (_, nth) =>
    testSettlement(nth, nth === 2 ? { outcome: 'refused', status: 503, code: 'capacity_exceeded' } : {}),
  );
  plane.send({ kind: 'settlements', settlements: packSettlements(settlements) });
  const first = Object((await plane.api('GET', '/api/requests?limit=3')).json);
  const second = Object((await plane.api('GET', `/api/requests?limit=3&cursor=${first.nextCursor}`)).json);
  const ids = [...first.data, ...second.data].map((row: { id: string }) => row.id);
  assert.deepEqual(ids, settlements.map(({ id }) => id).toReversed());
  assert.equal(second.nextCursor, null);
  const refused = Object(
    (await plane.api('GET', '/api/requests?outcome=refused&status=503&code=capacity_exceeded')).json,
  );
  assert.deepEqual([refused.data.length, refused.data[0].id], [1, settlements[2]?.id]);
  const one = Object((await plane.api('GET', `/api/requests/${settlements[0]?.id}`)).json);
  assert.equal(one.attempts[0].nodeName, 'gpu-1');
  assert.match(await refusal(plane, 'GET', '/api/requests?limit=501'), /^400 invalid_request: limit/);
  assert.match(await refusal(plane, 'GET', '/api/requests?modle=x'), /^400 invalid_request: modle/);
  assert.match(await refusal(plane, 'GET', '/api/requests?since=yesterday'), /^400 invalid_request: since/);
  assert.match(await refusal(plane, 'GET', '/api/requests?outcome=fine'), /^400 invalid_request: outcome/);
  assert.match(await refusal(plane, 'GET', '/api/requests/none'), /^404 not_found/);
});

test('metrics are made of settlements and of fresh gauges, and a made-up model is no label', async () => {
  await using node = await scriptedNode();
  const settings = testSettings({ health, nodes: [{ name: 'gpu-1', url: node.url, engine: 'auto', headers: {} }] });
  const counts = {
    index: 0,
    generation: 1,
    slots: 8,
    taken: 3,
    breaker: 'open',
    cooling: false,
    socketsIdle: 2,
    socketsBusy: 1,
    socketsOpened: 9,
  } as const;
  const gauges = { ...idleGauges, openLeases: 3, waiters: 4, nodes: [counts] };
  await using plane = await startTestControlPlane(settings, { gauges });
  await plane.nodeIs('gpu-1', 'ready');
  const attempts = [testAttempt('gpu-1', { end: 'reset' }), testAttempt('gpu-1')];
  plane.send({
    kind: 'settlements',
    settlements: packSettlements([
      testSettlement(1, { attempts, waitMs: 250 }),
      testSettlement(2, {
        model: 'secret-guess',
        modelOffered: false,
        outcome: 'rejected',
        status: 404,
        code: 'model_not_found',
        usage: null,
        attempts: [],
      }),
    ]),
  });
  const { text, headers } = await plane.api('GET', '/metrics');
  assert.match(headers.get('content-type') ?? '', /^text\/plain/);
  for (const line of [
    'weir_requests_total{model="llama3",outcome="served"} 1',
    'weir_requests_total{model="unknown",outcome="rejected"} 1',
    'weir_refusals_total{code="model_not_found"} 1',
    'weir_tokens_total{model="llama3",kind="completion"} 20',
    'weir_retries_total{end="reset"} 1',
    'weir_attempts_total{node="gpu-1",end="complete"} 1',
    'weir_wait_seconds_bucket{le="0.25",model="llama3"} 1',
    'weir_wait_seconds_count{model="llama3"} 1',
    'weir_open_leases 3',
    'weir_waiters 4',
    'weir_slots{node="gpu-1"} 8',
    'weir_slots_taken{node="gpu-1"} 3',
    'weir_breaker_state{node="gpu-1",state="open"} 1',
    'weir_breaker_state{node="gpu-1",state="closed"} 0',
    'weir_pool_sockets{node="gpu-1",state="idle"} 2',
    'weir_pool_sockets_opened_total{node="gpu-1"} 9',
    'weir_node_state{node="gpu-1",state="ready"} 1',
    'weir_history_dropped_total 0',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`);
  }
  assert.ok(!text.includes('secret-guess'));
  assert.match(text, /weir_process_resident_bytes \d{7,}/);
  const list = Object((await plane.api('GET', '/api/nodes')).json);
  assert.deepEqual([list.data[0].taken, list.data[0].breaker], [3, 'open']);
  assert.equal(Object((await plane.api('GET', '/api/stats')).json).totals.byOutcome.served, 1);
  const models = Object((await plane.api('GET', '/api/models')).json);
  assert.deepEqual(
    [models.data[0].name, models.data[0].ready, models.data[0].nodes[0].name],
    ['llama3', true, 'gpu-1'],
  );
});

test('the log has one line per request, without address and prompt, and what the data plane tells', async () => {
  await using plane = await startTestControlPlane(testSettings());
  plane.send({ kind: 'settlements', settlements: packSettlements([testSettlement(1)]) });
  plane.send({ kind: 'log', level: 'warn', message: 'something rare', detail: { count: 3 } });
  const { json, text } = await plane.api('GET', '/api/logs?tail=2');
  const [request, rare] = Object(json).data;
  assert.deepEqual(
    [request.message, request.level, request.model, request.nodes],
    ['request', 'info', 'llama3', ['gpu-1']],
  );
  assert.deepEqual([rare.message, rare.level, rare.count], ['something rare', 'warn', 3]);
  assert.ok(!text.includes('192.0.2.7'));
  assert.match(await refusal(plane, 'GET', '/api/logs?tail=no'), /^400 invalid_request: tail/);
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

test('every write leaves a row in the audit table, without secrets', async () => {
  const dataDir = temporaryDirectory();
  {
    await using plane = await startTestControlPlane(testSettings({ dataDir, health }));
    const { id } = Object(
      (await plane.api('POST', '/api/nodes', { name: 'n', url: 'http://127.0.0.1:9', apiKey: 'hush' })).json,
    );
    await plane.api('POST', `/api/nodes/${id}/drain`);
    await plane.api('DELETE', `/api/nodes/${id}`);
    await plane.api('POST', '/api/keys', { label: 'k' });
  }
  const { DatabaseSync } = await import('node:sqlite');
  const rows = new DatabaseSync(join(dataDir, 'weir.db')).prepare('SELECT action, detail FROM audit ORDER BY id').all();
  assert.deepEqual(
    rows.map((row) => row['action']),
    ['node.create', 'node.drain', 'node.remove', 'key.create'],
  );
  assert.ok(!JSON.stringify(rows).includes('hush'));
});
