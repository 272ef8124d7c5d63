import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozen, held } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { lastAnswer, post, postHead, rawClient, type RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const path = '/v1/chat/completions';
const good = JSON.stringify({ model: 'llama3' });

async function answered(client: RawClient): Promise<ReturnType<typeof lastAnswer>> {
  await client.sees(/^HTTP\/1\.1 [2-5]\d\d [\s\S]*\r\n\r\n\{.*\}/m);
  return lastAnswer(client.received());
}

test('a body that is no JSON object, or names no model, is refused with what is wrong', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const cases: [string | Buffer, string][] = [
    ['', 'invalid_json'],
    ['{', 'invalid_json'],
    ['[]', 'invalid_json'],
    ['[{"model":"llama3"}]', 'invalid_json'],
    ['null', 'invalid_json'],
    ['17', 'invalid_json'],
    ['"llama3"', 'invalid_json'],
    ["{'model':'llama3'}", 'invalid_json'],
    ['model=llama3', 'invalid_json'],
    ['\u{feff}{"model":"llama3"}', 'invalid_json'],
    [Buffer.from([0xff, 0xfe, 0x00]), 'invalid_json'],
    ['{"model":"llama3"}{"model":"llama3"}', 'invalid_json'],
    ['{}', 'missing_model'],
    ['{"models":"llama3"}', 'missing_model'],
    ['{"model":""}', 'invalid_model'],
    ['{"model":"  "}', 'invalid_model'],
    ['{"model":null}', 'invalid_model'],
    ['{"model":3}', 'invalid_model'],
    ['{"model":["llama3"]}', 'invalid_model'],
    ['{"model":"__proto__"}', 'model_not_found'],
    [`{"model":"${'x'.repeat(100_000)}"}`, 'model_not_found'],
  ];
  for (const [body, code] of cases) {
    const response = await fetch(`${router.url}${path}`, { method: 'POST', body });
    const text = await response.text();
    assert.equal(response.status, code === 'model_not_found' ? 404 : 400, text);
    assert.match(
      text,
      new RegExp(`"type":"invalid_request_error","param":null,"code":"${code}"`),
      String(body).slice(0, 60),
    );
  }
  assert.equal(node.requests.length, 0);
  for (const settlement of await router.settled(cases.length)) assert.equal(settlement.outcome, 'rejected');
});

test('brackets nested a hundred thousand deep do no harm', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, models: { llama3: 'renamed' } }]);
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const nested = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
    const response = await fetch(`${router.url}${path}`, { method: 'POST', body: `{"model":"llama3","x":${nested}}` });
    assert.ok([200, 400].includes(response.status), String(response.status));
    await response.text();
  }
  const unclosed = await fetch(`${router.url}${path}`, {
    method: 'POST',
    body: `{"model":"llama3","x":${'['.repeat(100_000)}`,
  });
  assert.equal(unclosed.status, 400);
  assert.equal((await router.chat()).status, 200, 'it goes on');
});

test('a declared length over the limit is refused before anything is read', async () => {
  await using router = await startDataPlane([], { limits: { bodyBytes: 1000 } });
  using client = rawClient(router.url);
  client.send(postHead(path, ['content-length: 1001']));
  const answer = await answered(client);
  assert.equal(answer.status, 413);
  assert.match(answer.body, /"code":"body_too_large"/);
  assert.equal(answer.headers.get('connection'), 'close');
  await client.closed();
});

test('a body without a declared length is refused when it has grown over the limit', async () => {
  await using router = await startDataPlane([], { limits: { bodyBytes: 1000 } });
  using client = rawClient(router.url);
  client.send(postHead(path, ['transfer-encoding: chunked']));
  client.send(`3e8\r\n${'x'.repeat(1000)}\r\n`);
  await until(() => router.plane.gauges().openRequests === 1, { what: 'the body to be read' });
  assert.equal(client.received(), '');
  client.send('1\r\nx\r\n');
  assert.equal((await answered(client)).status, 413);
});

test('a client that is still sending when it is refused gets the answer before the connection closes', async () => {
  await using router = await startDataPlane([], { limits: { bodyBytes: 1000 } });
  using client = rawClient(router.url);
  client.send(postHead(path, ['content-length: 100000']));
  const piece = 'x'.repeat(1000);
  for (let sent = 0; sent < 99; sent += 1) {
    client.send(piece);
    await new Promise(setImmediate);
    assert.equal(client.isClosed(), false, `closed after ${sent} pieces`);
  }
  client.send(piece);
  assert.equal((await answered(client)).status, 413);
  await client.closed();
});

test('of a refused body at most 256 KB or a second are drained', async () => {
  await using router = await startDataPlane([], { limits: { bodyBytes: 1000 } });
  using flooding = rawClient(router.url);
  flooding.send(postHead(path, ['content-length: 1000000000']));
  const piece = Buffer.alloc(64 * 1024);
  let sent = 0;
  await until(
    () => {
      if (!flooding.isClosed()) flooding.send(piece);
      sent += piece.length;
      return flooding.isClosed();
    },
    { what: 'the flooded connection to close' },
  );
  assert.ok(sent < 20_000_000);
  using silent = rawClient(router.url);
  silent.send(postHead(path, ['content-length: 1000000000']));
  assert.equal((await answered(silent)).status, 413);
  await silent.closed();
});

test('a body that does not arrive in time is given up', async () => {
  await using router = await startDataPlane([], { timeouts: { clientBodyMs: 100 } });
  using client = rawClient(router.url);
  client.send(`${postHead(path, ['content-length: 18'])}{"mo`);
  const answer = await answered(client);
  assert.equal(answer.status, 408);
  assert.match(answer.body, /"code":"body_timeout"/);
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.code], ['rejected', 'body_timeout']);
});

test('headers that do not arrive in time are given up', async () => {
  await using router = await startDataPlane([], { timeouts: { clientBodyMs: 100 } });
  using client = rawClient(router.url);
  client.send('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
  const answer = await answered(client);
  assert.equal(answer.status, 408);
  assert.ok(answer.headers.has('x-request-id'));
  await client.closed();
});

test('who asks first is told to send its body, or refused without it', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], { limits: { bodyBytes: 1000 } });
  using accepted = rawClient(router.url);
  accepted.send(postHead(path, [`content-length: ${good.length}`, 'expect: 100-continue']));
  await accepted.sees('HTTP/1.1 100 Continue\r\n\r\n');
  assert.equal(node.requests.length, 0);
  accepted.send(good);
  assert.equal((await answered(accepted)).status, 200);
  using refused = rawClient(router.url);
  refused.send(postHead(path, ['content-length: 1001', 'expect: 100-continue']));
  assert.equal((await answered(refused)).status, 413);
  assert.equal(refused.received().includes('100 Continue'), false);
  using odd = rawClient(router.url);
  odd.send(post(path, good, ['expect: a-miracle']));
  assert.equal((await answered(odd)).status, 200, 'an unknown expectation is ignored');
});

test('HTTP that is malformed is answered 400 in JSON with an id, and the connection closed', async () => {
  await using router = await startDataPlane([]);
  const cases = [
    postHead(path, ['content-length: 5', 'content-length: 6']),
    postHead(path, ['content-length: 5', 'transfer-encoding: chunked']),
    postHead(path, ['content-length: five']),
    postHead(path, ['content-length: -1']),
    'hello\r\n\r\n',
    'POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 0\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
  ];
  for (const bytes of cases) {
    using client = rawClient(router.url);
    client.send(bytes);
    const answer = await answered(client);
    assert.match(String(answer.status), /^4(00|31)$/, bytes.slice(0, 80));
    assert.match(answer.body, /"code":"invalid_header"/);
    assert.ok(answer.headers.has('x-request-id'));
  }
});

test('chunks that are none are answered 400, and the request settled as rejected', async () => {
  await using router = await startDataPlane([]);
  using client = rawClient(router.url);
  client.send(`${postHead(path, ['transfer-encoding: chunked'])}5\r\n{"mod\r\n`);
  await until(() => router.plane.gauges().openRequests === 1, { what: 'the body to be read' });
  client.send('zz\r\nhello\r\n');
  const answer = await answered(client);
  assert.equal(answer.status, 400);
  assert.match(answer.body, /"code":"invalid_header"/);
  assert.ok(answer.headers.has('x-request-id'));
  await client.closed();
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.status], ['rejected', 400]);
});

test('a malformed request behind another one does not harm its answer', async () => {
  const gate = held();
  await using node = await scriptedNode(gate.answer);
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.send(post(path, good));
  await client.sees(/^$/);
  await until(() => gate.waiting() === 1, { what: 'the request at the node' });
  gate.release();
  await client.sees('Hello from a node');
  client.send('nonsense\r\n\r\n');
  await client.sees('HTTP/1.1 400 Bad Request');
  await client.closed();
});

test('two requests in one write are answered in order on one connection', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.send(post(path, good) + post('/v1/completions', '{"model":"nobody"}') + post(path, good));
  await until(() => client.received().split('HTTP/1.1 ').length === 4, { what: 'three answers' });
  const statuses = [...client.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
  assert.deepEqual(statuses, ['200', '404', '200']);
  await router.settled(3);
});

test('a connection lives on after errors whose body was read', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  const steps: [string, string][] = [
    ['GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n', '404'],
    ['GET /v1/models/unknown HTTP/1.1\r\nhost: localhost\r\n\r\n', '404'],
    [post(path, '{"model":3}'), '400'],
    [post(path, '{"model":"nobody"}'), '404'],
    ['GET /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n\r\n', '405'],
    [post(path, good), '200'],
  ];
  for (const [bytes, status] of steps) {
    const before = client.received().length;
    client.send(bytes);
    await until(() => client.received().slice(before).includes(`HTTP/1.1 ${status}`), {
      what: `${status} for ${bytes}`,
    });
    await until(() => /\r\n\r\n\{.*\}$/.test(client.received().slice(before)), { what: 'its body' });
  }
  assert.equal(client.isClosed(), false);
});

test('HEAD is answered without a body', async () => {
  await using router = await startDataPlane([]);
  for (const target of ['/healthz', '/v1/models', '/nowhere']) {
    using client = rawClient(router.url);
    client.send(`HEAD ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    await client.closed();
    const { status, body } = lastAnswer(client.received());
    assert.deepEqual([status, body], [target === '/nowhere' ? 404 : 200, '']);
  }
});

test('unusable waits are refused', async () => {
  await using router = await startDataPlane([]);
  for (const wait of ['soon', '-1', '1.5', '1e3', '']) {
    const response = await router.chat({}, { headers: { 'x-weir-max-wait-ms': wait } });
    assert.equal(response.status, 400, wait);
    assert.match(await response.text(), /"code":"invalid_header"/);
  }
});

test('a full room refuses before reading only while no node has a free slot', async () => {
  await using node = await scriptedNode(frozen);
  const queue = { maxWaiters: 5, timeoutMs: 60_000 };
  await using router = await startDataPlane([{ url: node.url, slots: 1 }], { queue });
  const leaving = new AbortController();
  const crowd = Array.from({ length: 5 }, () => router.chat({}, { signal: leaving.signal }).catch(() => null));
  await until(() => router.plane.gauges().waiters === 4, { what: 'four waiters' });
  using client = rawClient(router.url);
  client.send(postHead(path, ['content-length: 1000']));
  const answer = await answered(client);
  assert.equal(answer.status, 503);
  assert.match(answer.body, /"code":"capacity_exceeded"/);
  assert.match(answer.headers.get('retry-after') ?? '', /^([1-9]|[1-5]\d|60)$/);
  assert.ok(answer.headers.has('retry-after-ms'));
  // A second node, of another model, has a free slot: it might be this request's.
  await using other = await scriptedNode();
  router.publish([
    { url: node.url, slots: 1 },
    { url: other.url, models: { other: 'other' } },
  ]);
  const served = await router.chat({ model: 'other' });
  assert.equal(served.status, 200);
  leaving.abort();
  await Promise.all(crowd);
  await router.settled(7);
});
