import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { status } from '../support/scripted-answers.ts';
import { lastAnswer, type RawAnswer, rawClient } from '../support/raw-client.ts';
import { startRouter } from '../support/start-router.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey, type TestDataPlane } from '../support/start-data-plane.ts';

const page = 'https://chat.example';
const cors = { cors: { origins: [page] } };
const headers = { origin: page };

/** Sent by hand: `fetch` refuses to send an Origin or a preflight of one's own making in some runtimes. */
async function ask(router: TestDataPlane, method: string, path: string, lines: readonly string[]): Promise<RawAnswer> {
  using client = rawClient(router.url);
  client.send(
    `${[`${method} ${path} HTTP/1.1`, 'host: localhost', 'connection: close', ...lines].join('\r\n')}\r\n\r\n`,
  );
  await client.closed();
  return lastAnswer(client.received());
}

function preflight(origin: string, more: readonly string[] = []): readonly string[] {
  return [`origin: ${origin}`, 'access-control-request-method: POST', ...more];
}

test('a page of a named origin may ask, and read the answer and its headers', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], cors);
  const asks = [
    router.chat({}, { headers }),
    router.chat({ stream: true }, { headers }),
    fetch(`${router.url}/v1/models`, { headers }),
    router.chat({ model: 'nothing' }, { headers }),
    fetch(`${router.url}/nowhere`, { headers }),
  ];
  const statuses: number[] = [];
  for (const response of await Promise.all(asks)) {
    statuses.push(response.status);
    assert.equal(response.headers.get('access-control-allow-origin'), page);
    assert.equal(response.headers.get('access-control-expose-headers'), '*');
    assert.equal(response.headers.get('vary'), 'Origin');
    // Pages send keys in headers, never cookies.
    assert.equal(response.headers.get('access-control-allow-credentials'), null);
    assert.ok(response.headers.get('x-request-id'));
    await response.text();
  }
  assert.deepEqual(statuses, [200, 200, 200, 404, 404]);
});

test("a node's refusal can be read by a page too, and its own CORS headers do not cross", async () => {
  await using node = await scriptedNode(status(400, { 'access-control-allow-origin': 'https://other.example' }));
  await using router = await startDataPlane([{ url: node.url }], cors);
  const response = await router.chat({}, { headers });
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('access-control-allow-origin'), page);
});

test("a page's preflight is answered without a key, and allows the headers of every client", async () => {
  const keys = [testKey(keyHash('good'))];
  await using router = await startDataPlane([], { ...cors, auth: { clients: 'required' } }, { keys });
  const wanted =
    'authorization,content-type,x-api-key,anthropic-version,anthropic-beta,x-stainless-lang,x-weir-max-wait-ms';
  const allowed = await ask(
    router,
    'OPTIONS',
    '/v1/chat/completions',
    preflight(page, [`access-control-request-headers: ${wanted}`, 'access-control-request-private-network: true']),
  );
  assert.equal(allowed.status, 204);
  assert.equal(allowed.body, '');
  assert.equal(allowed.headers.get('content-length'), undefined);
  assert.equal(allowed.headers.get('allow'), 'POST, OPTIONS');
  assert.equal(allowed.headers.get('access-control-allow-origin'), page);
  assert.equal(allowed.headers.get('access-control-allow-methods'), 'GET, HEAD, POST');
  assert.equal(allowed.headers.get('access-control-allow-headers'), wanted);
  assert.equal(allowed.headers.get('access-control-allow-private-network'), 'true');
  assert.equal(allowed.headers.get('access-control-max-age'), '7200');
  const strange = await ask(
    router,
    'OPTIONS',
    '/v1/models',
    preflight(page, ['access-control-request-headers: a b,"']),
  );
  assert.equal(strange.headers.get('access-control-allow-headers'), undefined);
});

test('no other page is let in, whatever it claims to be', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], cors);
  for (const origin of [
    'https://evil.example',
    'http://chat.example',
    `${page}:8443`,
    `${page}.evil.example`,
    'null',
  ]) {
    const refused = await ask(router, 'OPTIONS', '/v1/chat/completions', preflight(origin));
    assert.equal(refused.status, 204);
    for (const name of refused.headers.keys()) assert.ok(!name.startsWith('access-control-'), name);
    const response = await router.chat({}, { headers: { origin } });
    assert.equal(response.status, 403, origin);
    assert.match(await response.text(), /foreign_origin/);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.equal(response.headers.get('vary'), 'Origin');
  }
  assert.equal(node.count('/v1/chat/completions'), 0);
  // A host name that was bound to this machine by a page stays shut out, whatever origin is named.
  using client = rawClient(router.url);
  client.send(`GET /v1/models HTTP/1.1\r\nhost: evil.example\r\norigin: ${page}\r\nconnection: close\r\n\r\n`);
  await client.closed();
  assert.equal(lastAnswer(client.received()).status, 403);
});

test('where keys are required every page may be let in with one', async () => {
  await using node = await scriptedNode();
  const keys = [testKey(keyHash('good'))];
  const settings = { cors: { origins: ['*'] }, auth: { clients: 'required' } } as const;
  await using router = await startDataPlane([{ url: node.url }], settings, { keys });
  for (const origin of ['https://any.example', 'null']) {
    const served = await router.chat({}, { headers: { origin, authorization: 'Bearer good' } });
    assert.equal(served.status, 200);
    assert.equal(served.headers.get('access-control-allow-origin'), '*');
    await served.text();
    const refused = await router.chat({}, { headers: { origin } });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('access-control-allow-origin'), '*');
  }
});

test('where no origin is named nothing is said to pages', async () => {
  await using router = await startDataPlane([]);
  const answer = await ask(router, 'OPTIONS', '/v1/chat/completions', preflight(page));
  assert.equal(answer.status, 204);
  for (const name of answer.headers.keys()) assert.ok(!name.startsWith('access-control-') && name !== 'vary', name);
});

test('the admin listener lets no page in', async () => {
  await using router = await startRouter(cors);
  for (const method of ['GET', 'OPTIONS']) {
    const answer = await fetch(`${router.adminUrl}/api/nodes`, {
      method,
      headers: { origin: page, authorization: 'Bearer test-token', 'access-control-request-method': 'GET' },
    });
    for (const name of answer.headers.keys()) assert.ok(!name.startsWith('access-control-'), name);
  }
});

test('OPTIONS tells what a path takes', async () => {
  await using router = await startDataPlane([]);
  const cases = [
    ['/v1/chat/completions', 204, 'POST, OPTIONS'],
    ['/v1/models/a/b', 204, 'GET, HEAD, OPTIONS'],
    ['/api/delete', 204, 'DELETE, OPTIONS'],
    ['*', 204, 'GET, HEAD, POST, OPTIONS'],
    ['/nowhere', 404, undefined],
  ] as const;
  for (const [path, expected, allow] of cases) {
    const answer = await ask(router, 'OPTIONS', path, []);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [expected, allow], path);
    assert.ok(answer.headers.get('x-request-id'));
  }
});

test('preflights, their requests and HEAD share a connection', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], cors);
  using client = rawClient(router.url);
  const body = '{"model":"llama3"}';
  const lines = ['host: localhost', `origin: ${page}`];
  const send = (head: string, more: readonly string[] = [], text = ''): void =>
    client.send([`${head} HTTP/1.1`, ...lines, ...more, '', text].join('\r\n'));
  send('OPTIONS /v1/chat/completions', ['access-control-request-method: POST']);
  send('HEAD /v1/models');
  send('OPTIONS /v1/models');
  send('POST /v1/chat/completions', [`content-length: ${body.length}`], body);
  await client.sees(/Hello from a node/);
  const statuses = [...client.received().matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, code]) => code);
  assert.deepEqual(statuses, ['204', '200', '204', '200']);
  // A body that nobody asked for costs the connection, not the answer.
  send('OPTIONS /v1/models', ['content-length: 5'], 'hello');
  await client.closed();
  assert.equal(lastAnswer(client.received()).status, 204);
});
