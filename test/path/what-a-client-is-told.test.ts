import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { frozen, held, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

function ask(
  router: TestDataPlane,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', body: JSON.stringify(body), headers });
}

/** The error in the form of the path's dialect. */
function formOf(path: string, type: string, code: string): RegExp {
  const queue = '(,"queue_position":\\d+,"estimated_wait_ms":\\d+)?';
  if (path.startsWith('/api/')) return new RegExp(`^\\{"error":"[^"].*","code":"${code}","type":"${type}"${queue}\\}$`);
  if (path.startsWith('/v1/messages'))
    return new RegExp(
      `^\\{"type":"error","error":\\{"type":".*","code":"${code}"${queue}\\},"request_id":"[0-9a-f-]{36}"\\}$`,
    );
  return new RegExp(`^\\{"error":\\{"message":".+","type":"${type}","param":null,"code":"${code}"${queue}\\}\\}$`);
}

async function assertTold(
  response: Response,
  path: string,
  [code, type, name]: readonly [number, string, string],
): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, code, text);
  assert.match(text, formOf(path, type, name));
  assert.match(
    response.headers.get('x-request-id') ?? '',
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.equal(response.headers.get('content-type'), 'application/json');
}

function model(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'weir' };
}

const asked: readonly string[] = [
  'POST /v1/chat/completions',
  'POST /v1/completions',
  'POST /v1/embeddings',
  'POST /v1/responses',
  'POST /v1/audio/speech',
  'POST /v1/audio/transcriptions',
  'POST /v1/audio/translations',
  'POST /v1/images/generations',
  'POST /v1/images/edits',
  'POST /v1/images/variations',
  'POST /v1/rerank',
  'POST /v1/moderations',
  'POST /v1/messages',
  'POST /v1/messages/count_tokens',
  'POST /api/chat',
  'POST /api/generate',
  'POST /api/embed',
  'POST /api/embeddings',
  'POST /api/show',
];

test('every endpoint that the contract names is there', async () => {
  await using router = await startDataPlane([]);
  for (const [method = '', path = ''] of asked.map((one) => one.split(' '))) {
    const answer = await fetch(router.url + path, { method, body: '{"model":"nobody"}' });
    await assertTold(answer, path, [404, 'invalid_request_error', 'model_not_found']);
  }
  for (const path of ['/v1/models', '/api/tags', '/api/ps', '/api/version', '/healthz', '/readyz']) {
    assert.equal((await fetch(router.url + path)).status, 200, path);
  }
});

test('an unknown path is 404 and a wrong method 405 with Allow, each in its dialect', async () => {
  await using router = await startDataPlane([]);
  for (const path of [
    '/',
    '/v2/chat',
    '/v1/chat',
    '/v1/chat/completions/',
    '/api/nope',
    '/v1/messages/nope',
    '/v1/models/',
    '/v1/models/%zz',
    '//',
    '/V1/models',
  ]) {
    await assertTold(await fetch(router.url + path), path, [404, 'invalid_request_error', 'not_found']);
  }
  const wrong = [
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/embeddings', 'POST'],
    ['PATCH', '/v1/completions', 'POST'],
    ['GET', '/api/chat', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['POST', '/v1/models/a/b', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/api/tags', 'GET, HEAD'],
  ] as const;
  for (const [method, path, allow] of wrong) {
    const response = await fetch(router.url + path, { method });
    assert.equal(response.headers.get('allow'), allow);
    await assertTold(response, path, [405, 'invalid_request_error', 'method_not_allowed']);
  }
});

test('a query is no part of the path', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  assert.equal((await ask(router, '/v1/chat/completions?api-version=1', { model: 'llama3' })).status, 200);
  assert.equal((await fetch(`${router.url}/healthz?x`)).status, 200);
});

test('a model that nobody offers is 404, and a client should not retry it', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, engine: 'openai' }]);
  for (const [path, name] of [
    ['/v1/chat/completions', 'nobody'],
    ['/v1/embeddings', 'llama3:8b'],
    ['/api/generate', 'nobody'],
    ['/api/chat', 'nobody'],
  ] as const) {
    const response = await ask(router, path, { model: name });
    assert.equal(response.headers.get('x-should-retry'), 'false');
    assert.equal(response.headers.has('retry-after'), false);
    await assertTold(response, path, [404, 'invalid_request_error', 'model_not_found']);
  }
});

test('a router without any node says how to add one', async () => {
  await using router = await startDataPlane([]);
  const text = await (await router.chat()).text();
  for (const way of ['weir serve --node', 'nodes:', 'POST /api/nodes', 'npm run demo'])
    assert.ok(text.includes(way), text);
});

test('before the fleet is known a request waits instead of being told 404', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([]);
  router.publish([], { settled: false });
  assert.equal((await fetch(`${router.url}/readyz`)).status, 503);
  const answer = router.chat();
  await until(() => router.plane.gauges().waiters === 1, { what: 'the request to wait' });
  router.publish([{ url: node.url }]);
  const response = await answer;
  assert.equal(response.status, 200);
  assert.match(response.headers.get('x-weir-wait-ms') ?? '', /^\d+$/);
  assert.equal((await fetch(`${router.url}/readyz`)).status, 200);
});

for (const [path, body] of [
  ['/v1/chat/completions', {}],
  ['/api/chat', {}],
] as const) {
  test(`a request to ${path} that waited as long as allowed is told so, and when to come back`, async () => {
    const gate = held();
    await using node = await scriptedNode(gate.answer);
    const clock = new ManualClock();
    await using router = await startDataPlane([{ url: node.url, slots: 1, engine: 'ollama' }], {}, { clock });
    const first = ask(router, path, { model: 'llama3', ...body });
    await until(() => gate.waiting() === 1, { what: 'the first at the node' });
    const second = ask(router, path, { model: 'llama3', ...body }, { 'x-weir-max-wait-ms': '700' });
    await until(() => router.plane.gauges().waiters === 1, { what: 'the second to wait' });
    clock.advance(699);
    assert.equal(router.plane.gauges().waiters, 1);
    clock.advance(1);
    const response = await second;
    assert.equal(response.headers.get('x-weir-wait-ms'), '700');
    assert.match(response.headers.get('retry-after') ?? '', /^([1-9]|[1-5]\d|60)$/);
    await assertTold(response, path, [504, 'timeout_error', 'wait_timeout']);
    gate.release();
    const served = await first;
    assert.equal(served.headers.has('x-weir-wait-ms'), false, 'it never waited');
    await served.text();
    const settlements = await router.settled(2);
    const timedOut = settlements.find(({ outcome }) => outcome === 'timed-out');
    assert.deepEqual([timedOut?.waitMs, timedOut?.status, timedOut?.code], [700, 504, 'wait_timeout']);
  });
}

test('who may not wait at all is told at once', async () => {
  await using node = await scriptedNode(frozen);
  await using router = await startDataPlane([{ url: node.url, slots: 1 }]);
  const leaving = new AbortController();
  const first = router.chat({}, { signal: leaving.signal }).catch(() => null);
  await until(() => node.requests.length === 1, { what: 'the first at the node' });
  const response = await router.chat({}, { headers: { 'x-weir-max-wait-ms': '0' } });
  assert.equal(response.headers.get('x-weir-wait-ms'), '0');
  await assertTold(response, '/v1/chat/completions', [504, 'timeout_error', 'wait_timeout']);
  leaving.abort();
  await first;
});

test('a model whose nodes are all down is 503 at the end of the wait, with the time of the next probe', async () => {
  await using router = await startDataPlane([{ url: 'http://127.0.0.1:1', state: 'offline' }], {
    queue: { timeoutMs: 30 },
  });
  router.plane.replaceTelemetry([
    {
      index: 0,
      generation: 1,
      readAt: 0,
      running: null,
      waiting: null,
      cacheUse: null,
      nextProbeAt: router.plane.clock.now() + 4000,
    },
  ]);
  const response = await router.chat();
  assert.equal(response.headers.get('retry-after'), '4');
  await assertTold(response, '/v1/chat/completions', [503, 'unavailable_error', 'no_ready_node']);
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'timed-out');
});

test('a full room refuses at once with a time to come back', async () => {
  await using node = await scriptedNode(frozen);
  // A node of another model has a free slot, so that the body is read and admission decides, not the gate before it.
  const fleet = [
    { url: node.url, slots: 1 },
    { url: node.url, models: { other: 'other' } },
  ];
  await using router = await startDataPlane(fleet, { queue: { maxWaiters: 5, maxShare: 1, timeoutMs: 2000 } });
  const leaving = new AbortController();
  const crowd = Array.from({ length: 5 }, () => router.chat({}, { signal: leaving.signal }).catch(() => null));
  await until(() => router.plane.gauges().waiters === 4, { what: 'the room to be full' });
  const response = await router.chat();
  assert.match(response.headers.get('retry-after') ?? '', /^([1-9]|[1-5]\d|60)$/);
  const ms = Number(response.headers.get('retry-after-ms'));
  assert.equal(Math.ceil(ms / 1000), Number(response.headers.get('retry-after')));
  await assertTold(response, '/v1/chat/completions', [503, 'overloaded_error', 'capacity_exceeded']);
  leaving.abort();
  await Promise.all(crowd);
  const settlements = await router.settled(6);
  assert.equal(settlements.find(({ outcome }) => outcome === 'refused')?.code, 'capacity_exceeded');
});

test("a node's own 4xx is relayed as sent, with its Retry-After in our form", async () => {
  const cases = [
    [400, { error: { message: 'context too long: 9000 > 8192', type: 'x', extra: [1, { a: null }] } }],
    [413, { detail: 'too large' }],
    [422, { detail: [{ loc: ['body', 'temperature'], msg: 'must be <= 2' }] }],
    [409, { error: 'busy with itself' }],
  ] as const;
  for (const [code, value] of cases) {
    await using node = await scriptedNode((_request, reply) =>
      reply.json(code, value, { 'retry-after': '4', 'x-node': 'n' }),
    );
    await using router = await startDataPlane([{ url: node.url }, { url: node.url }]);
    const response = await router.chat();
    assert.equal(response.status, code);
    assert.deepEqual(await response.json(), value);
    assert.deepEqual([response.headers.get('retry-after'), response.headers.get('retry-after-ms')], ['4', '4000']);
    assert.equal(response.headers.has('x-node'), false);
    assert.equal(node.requests.length, 1, 'no other node would judge it differently');
    const [settlement] = await router.settled(1);
    assert.deepEqual(
      [settlement?.outcome, settlement?.status, settlement?.attempts[0]?.end],
      ['served', code, 'client-error'],
    );
  }
});

test("a node's own 4xx in plain text is put in the client's form", async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(400, { 'content-type': 'text/plain' });
    reply.response.end('prompt is empty');
  });
  await using router = await startDataPlane([{ url: node.url, engine: 'ollama' }]);
  assert.match(
    await (await router.chat()).text(),
    /^\{"error":\{"message":"prompt is empty","type":"invalid_request_error"/,
  );
  assert.match(await (await ask(router, '/api/chat', { model: 'llama3' })).text(), /^\{"error":"prompt is empty"/);
});

test('models are listed from the snapshot, and found by plain and encoded ids, with and without :latest', async () => {
  await using router = await startDataPlane([
    {
      url: 'http://127.0.0.1:1',
      models: { 'org/llama': '/secret/path.gguf', 'qwen:latest': 'qwen:latest' },
      state: 'offline',
    },
    { url: 'http://127.0.0.1:2', models: { qwen: 'qwen' } },
  ]);
  const list = await (await fetch(`${router.url}/v1/models`)).json();
  assert.deepEqual(list, { object: 'list', data: [model('org/llama'), model('qwen')] });
  for (const [path, id] of [
    ['org/llama', 'org/llama'],
    ['org%2Fllama', 'org/llama'],
    ['qwen', 'qwen'],
    ['qwen:latest', 'qwen:latest'],
    ['qwen%3Alatest', 'qwen:latest'],
  ]) {
    const response = await fetch(`${router.url}/v1/models/${path}`);
    assert.deepEqual(await response.json(), model(id ?? ''));
  }
  const unknown = await fetch(`${router.url}/v1/models/org/none`);
  await assertTold(unknown, '/v1/models', [404, 'invalid_request_error', 'model_not_found']);
});

test('name and name:latest are one model, asked for by either', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, models: { 'qwen:latest': 'qwen:latest' } }]);
  for (const name of ['qwen', 'qwen:latest']) assert.equal((await router.chat({ model: name })).status, 200);
  assert.deepEqual(
    node.requests.map(({ body }) => /"model":"([^"]+)"/.exec(body.toString())?.[1]),
    ['qwen:latest', 'qwen:latest'],
  );
  for (const settlement of await router.settled(2)) assert.equal(settlement.model, 'qwen');
});

test('what only Ollama understands goes to Ollama nodes only', async () => {
  await using openai = await scriptedNode(status(418));
  await using ollama = await scriptedNode((_request, reply) =>
    reply.json(200, { model: 'llama3', response: 'hi', done: true }),
  );
  await using router = await startDataPlane([
    { url: openai.url, slots: 50 },
    { url: ollama.url, slots: 1, engine: 'ollama' },
  ]);
  for (const path of ['/api/generate', '/api/chat']) {
    const response = await ask(router, path, { model: 'llama3', stream: false, options: { novelty: 1 } });
    assert.deepEqual([response.status, await response.text()], [200, '{"model":"llama3","response":"hi","done":true}']);
    assert.equal(ollama.count(path), 1);
  }
  assert.equal(openai.requests.length, 0);
});

test('an exception on the path is answered 500, logged under its id, and the router goes on', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const { plane } = router;
  const real = plane.planAsking.bind(plane);
  plane.planAsking = () => {
    throw new Error('a bug');
  };
  const response = await router.chat();
  await assertTold(response, '/v1/chat/completions', [500, 'api_error', 'internal_error']);
  plane.planAsking = real;
  assert.equal((await router.chat()).status, 200);
  const log = router.messages.find((message) => message.kind === 'log');
  assert.equal(log?.detail?.['requestId'], response.headers.get('x-request-id'));
  await router.settled(2);
});
