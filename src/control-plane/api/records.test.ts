import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { idleGauges, startTestControlPlane, refusal } from '../../../test/support/control-plane.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { temporaryDirectory, testSettings } from '../../../test/support/settings.ts';
import { testAttempt, testSettlement } from '../../../test/support/settlement.ts';
import { packSettlements } from '../../fleet/settlement-batch.ts';

const health = { intervalMs: 50, timeoutMs: 500 };

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
