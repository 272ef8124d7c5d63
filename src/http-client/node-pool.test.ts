import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Scripted, held, inTurn } from '../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { clientOf, failureOf, post, targetOf } from '../../test/support/test-client.ts';
import { until } from '../../test/support/until.ts';

const ok: Scripted = (_request, reply) => reply.json(200, { ok: true });

const half: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-length': '10' });
  reply.response.write('12345', () => reply.reset());
};

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('300 requests at 8 in flight use at most 12 sockets', async () => {
  await using node = await scriptedNode(ok);
  using client = clientOf();
  const target = targetOf(node.url);
  let left = 300;
  const lane = async (): Promise<void> => {
    while (left-- > 0) assert.equal((await post(client, target)).status, 200);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  assert.equal(node.requests.length, 300);
  assert.ok(node.sockets().opened <= 12, `${node.sockets().opened} sockets`);
  assert.equal(client.sockets('node').busy, 0);
});

test('after a burst of 120 at most 32 idle connections remain', async () => {
  const gate = held(ok);
  await using node = await scriptedNode(gate.answer);
  using client = clientOf();
  const target = targetOf(node.url);
  const burst = Array.from({ length: 120 }, () => post(client, target));
  await until(() => gate.waiting() === 120, { what: 'all 120 at the node' });
  assert.deepEqual(client.sockets('node'), { idle: 0, busy: 120, opened: 120 });
  gate.release();
  await Promise.all(burst);
  assert.deepEqual(client.sockets('node'), { idle: 32, busy: 0, opened: 120 });
  await until(() => node.sockets().open === 32, { what: 'the other sockets to close' });
});

test('a pool that keeps nothing opens one connection per request', async () => {
  await using node = await scriptedNode(ok);
  using client = clientOf({ maxIdlePerNode: 0 });
  for (let sent = 0; sent < 5; sent += 1) await post(client, targetOf(node.url));
  assert.equal(node.sockets().opened, 5);
});

test('a node that resets sockets idle for 150 ms never costs an error', async () => {
  const timers = new Map<Socket, NodeJS.Timeout>();
  const closing: Scripted = (_request, reply) => {
    const { socket } = reply;
    clearTimeout(timers.get(socket));
    reply.response.once('finish', () => {
      timers.set(
        socket,
        setTimeout(() => socket.resetAndDestroy(), 150),
      );
    });
    reply.json(200, { ok: true });
  };
  await using node = await scriptedNode(closing);
  using client = clientOf();
  const target = targetOf(node.url);
  const lane = async (number: number): Promise<void> => {
    for (let sent = 0; sent < 10; sent += 1) {
      assert.equal((await post(client, target)).status, 200);
      // Around the age at which the node closes, so that some requests cross the reset on its way.
      await delay(146 + ((sent * 7 + number) % 9));
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => lane(number)));
  assert.ok(node.requests.length >= 200);
});

test('a reset of a reused socket before any byte is tried once more on a fresh one', async () => {
  await using node = await scriptedNode(inTurn(ok, (_request, reply) => reply.reset(), ok));
  using client = clientOf();
  assert.equal((await post(client, targetOf(node.url))).status, 200);
  assert.equal((await post(client, targetOf(node.url))).status, 200);
  assert.equal(node.requests.length, 3);
  assert.equal(node.sockets().opened, 2);
});

test('a reset of a fresh socket is not retried by the pool', async () => {
  await using node = await scriptedNode((_request, reply) => reply.reset());
  using client = clientOf();
  assert.equal(await failureOf(post(client, targetOf(node.url))), 'reset');
  assert.equal(node.requests.length, 1);
});

test('a reset after the head came is not retried, on a reused socket either', async () => {
  await using node = await scriptedNode(inTurn(ok, half));
  using client = clientOf();
  await post(client, targetOf(node.url));
  assert.equal(await failureOf(post(client, targetOf(node.url))), 'reset');
  assert.equal(node.requests.length, 2);
});

test('an aborted exchange destroys its socket', async () => {
  const gate = held(ok);
  await using node = await scriptedNode(gate.answer);
  using client = clientOf();
  let told = 0;
  const receiver = { onHead: () => told++, onData: () => told++, onEnd: () => told++, onError: () => told++ };
  const exchange = client.exchange(
    targetOf(node.url),
    { method: 'POST', path: '/x', headers: [], body: Buffer.from('{}') },
    receiver,
  );
  await until(() => gate.waiting() === 1, { what: 'the request at the node' });
  exchange.abort();
  await until(() => node.sockets().open === 0, { what: 'the socket to be gone' });
  assert.deepEqual(client.sockets('node'), { idle: 0, busy: 0, opened: 1 });
  assert.equal(told, 0, 'after an abort nothing more is told');
});

test('what is no HTTP is garbage, and so is an answer longer than it said', async () => {
  const answers = ['hello there\r\n\r\n', 'HTTP/1.1 200 OK\r\nx: y\u0001\r\n\u0000bad\r\n\r\n'];
  for (const answer of answers) {
    await using node = await scriptedNode((_request, reply) => {
      reply.raw(answer);
      reply.socket.end();
    });
    using client = clientOf();
    assert.equal(await failureOf(post(client, targetOf(node.url))), 'garbage', JSON.stringify(answer));
  }
});

test('a port where nobody listens, and a name that does not exist, are failures to connect', async () => {
  using client = clientOf();
  const server = createServer();
  const port = await listen(server);
  server.close();
  assert.equal(await failureOf(post(client, targetOf(`http://127.0.0.1:${port}`))), 'connect-failed');
  assert.equal(await failureOf(post(client, targetOf('http://nowhere.invalid:80'))), 'connect-failed');
});

test('a connection that is not made in time is a failure to connect', async () => {
  // It accepts and then says nothing, so that the TLS handshake never ends.
  const silent = createServer(() => undefined);
  const port = await listen(silent);
  using client = clientOf();
  const target = targetOf(`https://127.0.0.1:${port}`, { connectMs: 100 });
  assert.equal(await failureOf(post(client, target)), 'connect-failed');
  silent.close();
});

test('a TLS node is verified by the given authority, or not at all where that is asked for', async () => {
  const cert = readFileSync(new URL('../../test/fixtures/tls/cert.pem', import.meta.url), 'utf8');
  const key = readFileSync(new URL('../../test/fixtures/tls/key.pem', import.meta.url), 'utf8');
  const server = createTlsServer({ cert, key }, (_request, response) => response.end('{}'));
  const port = await listen(server);
  using client = clientOf();
  const origin = `https://127.0.0.1:${port}`;
  assert.equal(await failureOf(post(client, targetOf(origin, { tls: null }))), 'connect-failed');
  assert.equal((await post(client, targetOf(origin, { tls: { ca: cert } }))).status, 200);
  assert.equal((await post(client, targetOf(origin, { tls: { verify: false } }))).status, 200);
  client.close();
  server.closeAllConnections();
  server.close();
});

test('a request that cannot be sent fails after its exchange was returned', async () => {
  await using node = await scriptedNode(ok);
  using client = clientOf();
  const answer = post(client, targetOf(node.url), { headers: ['x-bad', 'a\nb'] });
  assert.equal(await failureOf(answer), 'reset');
  assert.equal(client.sockets('node').busy, 0);
});

test('a node that moved gets a new pool, and what runs on the old one ends well', async () => {
  const gate = held(ok);
  await using before = await scriptedNode(gate.answer);
  await using after = await scriptedNode(ok);
  using client = clientOf();
  const running = post(client, targetOf(before.url));
  await until(() => gate.waiting() === 1, { what: 'the request at the node' });
  assert.equal((await post(client, targetOf(after.url))).status, 200);
  assert.equal(after.requests.length, 1);
  gate.release();
  assert.equal((await running).status, 200);
  await until(() => before.sockets().open === 0, { what: "the old pool's socket to close" });
});

test('closing the client destroys busy sockets of retired pools too', async () => {
  const gate = held(ok);
  await using node = await scriptedNode(gate.answer);
  using client = clientOf();
  const running = failureOf(post(client, targetOf(node.url)));
  await until(() => gate.waiting() === 1, { what: 'the request at the node' });
  client.retire('node');
  assert.equal(node.sockets().open, 1, 'a busy socket outlives its pool');
  client.close();
  await until(() => node.sockets().open === 0, { what: 'the socket to be gone' });
  assert.equal(await running, 'reset');
});

test('a whole answer is bounded in time and size', async () => {
  await using node = await scriptedNode({
    paths: {
      '/frozen': () => undefined,
      '/long': (_request, reply) => void reply.response.end('x'.repeat(2_000)),
    },
  });
  using client = clientOf();
  const get = (path: string): Promise<unknown> =>
    client.fetch(
      targetOf(node.url),
      { method: 'GET', path, headers: [], body: null },
      { totalMs: 50, maxBytes: 1_000 },
    );
  await assert.rejects(get('/frozen'), /no complete answer within 50 ms/);
  await assert.rejects(get('/long'), /longer than 1000 bytes/);
  await until(() => node.sockets().open === 0, { what: 'both sockets to be gone' });
});
