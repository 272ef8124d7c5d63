import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { idleGauges, startTestControlPlane, type TestControlPlane } from '../../../test/support/control-plane.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { scriptedOllama } from '../../../test/support/scripted-ollama.ts';
import { testSettings } from '../../../test/support/settings.ts';
import { testAttempt, testSettlement } from '../../../test/support/settlement.ts';
import { packSettlements } from '../../fleet/settlement-batch.ts';
import { createHttpClient } from '../../http-client/http-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { DataPlaneLink } from '../data-plane-link.ts';
import { openRooms } from '../rooms.ts';
import { endpoints } from './contract/endpoints.ts';
import { plannedRoutes } from './planned.ts';
import { adminRoutes } from './routes.ts';

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => Object(at)[name], value);
}

/** Objects of the document closed, so that an answer with a field that nobody described is found. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const own = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  const isOpen = 'properties' in own && !('additionalProperties' in own);
  return isOpen ? { ...own, additionalProperties: false } : own;
}

function nameOf({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method} ${path}`;
}

async function documentOf(plane: TestControlPlane): Promise<unknown> {
  const { status, json } = await plane.api('GET', '/api/openapi.json');
  assert.equal(status, 200);
  return json;
}

test('the description is valid OpenAPI 3.1 of this version, and needs the token', async () => {
  await using plane = await startTestControlPlane(testSettings());
  const document = await documentOf(plane);
  const { valid, errors } = await new Validator().validate(Object(document));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.match(String(field(document, 'openapi')), /^3\.1/);
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  assert.equal(field(document, 'info', 'version'), version);
  const ids = Object.values(Object(field(document, 'paths'))).flatMap((path) =>
    Object.values(Object(path)).map((operation) => field(operation, 'operationId')),
  );
  assert.equal(new Set(ids).size, ids.length, 'operation ids are unique');
  const followed = ['/api/logs', '/api/tasks/{id}'].map((path) =>
    field(
      document,
      'paths',
      path,
      'get',
      'responses',
      '200',
      'content',
      'text/event-stream',
      'schema',
      'contentSchema',
    ),
  );
  assert.deepEqual(followed, [{ $ref: '#/components/schemas/LogLine' }, { $ref: '#/components/schemas/Task' }]);
  const stranger = await plane.api('GET', '/api/openapi.json', undefined, { authorization: 'Bearer no' });
  assert.equal(stranger.status, 401);
});

test('every route has a description, and nothing is described that is no route', () => {
  const { port1, port2 } = new MessageChannel();
  const settings = testSettings();
  const httpClient = createHttpClient(settings.pool, systemClock);
  const rooms = openRooms(
    { settings, resume: null, startedAt: 0 },
    { link: new DataPlaneLink(port2, systemClock), httpClient, clock: systemClock, random: Math.random },
  );
  const planned = new Set(plannedRoutes().map(nameOf));
  const routes = adminRoutes(rooms.state)
    .map(nameOf)
    .filter((route) => !planned.has(route) && / \/(api\/|metrics$)/.test(route));
  rooms.close();
  httpClient.close();
  port1.close();
  assert.deepEqual(Object.keys(endpoints).toSorted(), routes.toSorted());
});

test('what a running control plane answers is as described, to the field', async () => {
  await using node = await scriptedNode({ paths: { '/log': (_request, { response }) => void response.end('one\n') } });
  const health = { intervalMs: 5000, timeoutMs: 500 };
  const entry = {
    name: 'a',
    url: node.url,
    engine: 'auto',
    headers: { 'x-k': 'v' },
    apiKey: 's',
    logsUrl: `${node.url}/log`,
    tls: { verify: false },
  } as const;
  await using ollama = await scriptedOllama({ disk: { q: 1 }, onPull: () => undefined });
  const ollamaEntry = { name: 'o', url: ollama.url, engine: 'ollama', headers: {} } as const;
  const hit = { id: 'org/m-GGUF', downloads: 3, tags: ['gguf'], lastModified: '2026-01-01T00:00:00.000Z' };
  await using hub = await scriptedNode({ paths: { '/api/models': (_request, reply) => reply.json(200, [hit]) } });
  const counts = { index: 0, generation: 1, slots: 8, taken: 3, breaker: 'open', cooling: false } as const;
  const sockets = { socketsIdle: 2, socketsBusy: 1, socketsOpened: 9 };
  const gauges = { ...idleGauges, nodes: [{ ...counts, ...sockets }], models: [{ model: 'llama3', waiters: 0 }] };
  await using plane = await startTestControlPlane(
    testSettings({ health, nodes: [entry, ollamaEntry], catalogue: { url: hub.url } }),
    { gauges },
  );
  await plane.nodeIs('a', 'ready');
  await plane.nodeIs('o', 'ready');
  const settlement = testSettlement(1, { attempts: [testAttempt('a', { end: 'reset' }), testAttempt('a')] });
  plane.send({ kind: 'settlements', settlements: packSettlements([settlement]) });

  const document = closed(await documentOf(plane));
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'api', ...Object(document) });
  const answered = new Set<string>();
  const call = async (name: string, path: string, body?: unknown): Promise<unknown> => {
    const [method = '', pattern = ''] = name.split(' ');
    const { status, json, text } = await plane.api(method, path, body);
    const described = pattern.replaceAll(/:(\w+)/g, '{$1}').replaceAll('/', '~1');
    const operation = `api#/paths/${encodeURIComponent(described)}/${method.toLowerCase()}`;
    const responses = field(
      document,
      'paths',
      pattern.replaceAll(/:(\w+)/g, '{$1}'),
      method.toLowerCase(),
      'responses',
    );
    const response = field(responses, String(status));
    assert.ok(response, `${name} answered ${status}, which is not described: ${text}`);
    answered.add(name);
    if (field(response, 'content', 'application/json') === undefined) return json;
    const validate = ajv.getSchema(`${operation}/responses/${status}/content/application~1json/schema`);
    assert.ok(validate, name);
    assert.ok(await validate(json), `${name}: ${JSON.stringify(validate.errors)}\n${text}`);
    return json;
  };

  const created = await call('POST /api/nodes', '/api/nodes', {
    name: 'b',
    url: node.url,
    timeouts: { connect: '2s' },
  });
  const id = String(field(created, 'id'));
  await call('GET /api/nodes', '/api/nodes');
  await call('GET /api/nodes/:id', '/api/nodes/a');
  await call('GET /api/nodes/:id', '/api/nodes/nobody');
  await call('PUT /api/nodes/:id', `/api/nodes/${id}`, { url: node.url, models: ['llama3'] });
  await call('PUT /api/nodes/:id', '/api/nodes/a', { url: node.url });
  await call('POST /api/nodes/:id/drain', `/api/nodes/${id}/drain`);
  await call('POST /api/nodes/:id/resume', `/api/nodes/${id}/resume`);
  await call('POST /api/nodes/:id/probe', '/api/nodes/a/probe');
  await call('GET /api/nodes/:id/models', '/api/nodes/a/models');
  await call('GET /api/models', '/api/models');
  await call('GET /api/models/catalogue', '/api/models/catalogue?q=a');
  await call('DELETE /api/nodes/:id', `/api/nodes/${id}`);
  const pull = 'POST /api/nodes/:id/models/pull';
  const task = await call(pull, '/api/nodes/o/models/pull', { model: 'm' });
  await call(pull, '/api/nodes/a/models/pull', { model: 'm' });
  await call('POST /api/nodes/:id/models/load', '/api/nodes/o/models/load', { model: 'q', keepAlive: 'pinned' });
  await call('POST /api/nodes/:id/models/load', '/api/nodes/o/models/load', { model: 'nope' });
  await call('POST /api/nodes/:id/models/unload', '/api/nodes/o/models/unload', { model: 'q' });
  await call('POST /api/models/distribute', '/api/models/distribute', { model: 'm', where: 'all' });
  await call('GET /api/tasks', '/api/tasks?node=o&state=open');
  await call('GET /api/tasks/:id', `/api/tasks/${String(field(task, 'id'))}`);
  await call('DELETE /api/tasks/:id', `/api/tasks/${String(field(task, 'id'))}`);
  await call('DELETE /api/tasks/:id', `/api/tasks/${String(field(task, 'id'))}`);
  const key = await call('POST /api/keys', '/api/keys', { label: 'team', models: ['llama3'] });
  await call('POST /api/keys', '/api/keys', { label: '' });
  await call('GET /api/keys', '/api/keys');
  const token = await call('POST /api/tokens', '/api/tokens', { label: 't', maxNodes: 2 });
  await call('GET /api/tokens', '/api/tokens');
  await call('DELETE /api/tokens/:id', `/api/tokens/${String(field(token, 'id'))}`);
  await call('DELETE /api/tokens/:id', '/api/tokens/nobody');
  await call('DELETE /api/keys/:id', `/api/keys/${String(field(key, 'id'))}?abort=true`);
  await call('GET /api/requests', '/api/requests?outcome=served&limit=1');
  await call('GET /api/requests', '/api/requests?nonsense=1');
  await call('GET /api/requests/:id', `/api/requests/${settlement.id}`);
  await call('GET /api/stats', '/api/stats');
  await call('GET /api/settings', '/api/settings');
  await call('PUT /api/settings', '/api/settings', { queue: { maxWaiters: 100 } });
  await call('PUT /api/settings', '/api/settings', { queue: { maxWaiters: 'many' } });
  await call('GET /api/audit', '/api/audit?limit=2');
  await call('GET /api/logs', '/api/logs?tail=2');
  await call('GET /api/nodes/:id/logs', '/api/nodes/a/logs?tail=2');
  await call('GET /metrics', '/metrics');
  await call('GET /api/openapi.json', '/api/openapi.json');
  assert.deepEqual([...answered].toSorted(), Object.keys(endpoints).toSorted());
});

test('what is not described is refused, in bodies and in queries', async () => {
  await using node = await scriptedNode();
  await using plane = await startTestControlPlane(testSettings());
  await plane.api('POST', '/api/nodes', { name: 'a', url: node.url });
  const { json: key } = await plane.api('POST', '/api/keys', { label: 'team' });
  const ids: Readonly<Record<string, string>> = { nodes: 'a', keys: String(field(key, 'id')) };
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const [method = '', pattern = ''] = name.split(' ');
    const path = pattern.replace(
      /^(\/api\/(\w+)\/):id/,
      (_, start: string, list: string) => start + (ids[list] ?? 'x'),
    );
    if ('query' in endpoint) {
      const { status, text } = await plane.api(method, `${path}?nonsense=1`);
      assert.deepEqual([status, /nonsense/.test(text)], [400, true], `${name}: ${text}`);
    }
    if ('body' in endpoint) {
      const { status, text } = await plane.api(method, path, { nonsense: 1 });
      assert.deepEqual([status, /nonsense/.test(text)], [400, true], `${name}: ${text}`);
    }
  }
});
