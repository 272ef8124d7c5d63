import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawNode } from '../../../test/support/raw-node.ts';
import { clientOf, failureOf, post, requestOf, targetOf, Told } from '../../../test/support/test-client.ts';
import { until } from '../../../test/support/until.ts';

const HI = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

test('interim answers are passed over, asked for or not, on fresh and on reused connections', async () => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  await using node = await rawNode((_piece, { socket }) => void socket.write(interim + HI));
  using client = clientOf();
  for (let sent = 0; sent < 3; sent += 1) {
    const { status, body } = await post(client, targetOf(node.url));
    assert.deepEqual([status, body.toString()], [200, 'hi']);
  }
  assert.equal(node.connections.length, 1);
});

for (const [what, answer] of [
  ['that says so', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['with bytes behind it', `${HI}${HI}`],
  ['that says its length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi'],
  [
    'that keeps the connection for less than a second',
    `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nhi`,
  ],
] as const) {
  test(`the connection of an answer ${what} is closed and not used again`, async () => {
    await using node = await rawNode((_piece, { socket }) => void socket.write(answer));
    using client = clientOf();
    for (let sent = 0; sent < 2; sent += 1)
      assert.equal((await post(client, targetOf(node.url))).body.toString(), 'hi');
    assert.equal(node.connections.length, 2);
    await until(() => node.open() === 0, { what: 'both connections to be closed' });
  });
}

test('a body that only closing ends is whole when the node closes, and broken when it resets', async () => {
  await using node = await rawNode((_piece, { socket }, nth) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\nall of it', () => {
      if (nth === 0) socket.end();
      else setImmediate(() => socket.resetAndDestroy());
    });
  });
  using client = clientOf();
  assert.equal((await post(client, targetOf(node.url))).body.toString(), 'all of it');
  assert.equal(await failureOf(post(client, targetOf(node.url))), 'reset');
});

test('a node that closes within an answer has reset it, and nothing is tried again', async () => {
  const cuts = ['HTTP/1.1 200', HI.slice(0, -1), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n'];
  for (const cut of cuts) {
    await using node = await rawNode((_piece, { socket, received }) => {
      const isFirst = received().split('POST').length === 2;
      if (isFirst) socket.write(HI);
      else socket.end(cut);
    });
    using client = clientOf();
    await post(client, targetOf(node.url));
    assert.equal(await failureOf(post(client, targetOf(node.url))), 'reset', cut);
    assert.equal(node.connections.length, 1, 'the node had begun to answer');
  }
});

test('a reused connection that the node closes before it answers is tried once more, once', async () => {
  await using node = await rawNode((_piece, { socket, received }, nth) => {
    if (nth === 0 && received().split('POST').length === 2) socket.write(HI);
    else socket.end();
  });
  using client = clientOf();
  await post(client, targetOf(node.url));
  assert.equal(await failureOf(post(client, targetOf(node.url))), 'reset');
  assert.equal(node.connections.length, 2);
});

test('what a node says when nobody asked closes the connection, and the next request gets a fresh one', async () => {
  await using node = await rawNode((_piece, { socket }) => void socket.write(HI));
  using client = clientOf();
  await post(client, targetOf(node.url));
  node.connections[0]?.socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
  await until(() => client.sockets('node').idle === 0, { what: 'the connection to leave the pool' });
  assert.equal((await post(client, targetOf(node.url))).status, 200);
  assert.equal(node.connections.length, 2);
});

test('an answer that comes before its request was sent whole is taken, and the connection closed', async () => {
  await using node = await rawNode((_piece, { socket }) => {
    socket.pause();
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
  });
  using client = clientOf();
  const { status } = await post(client, targetOf(node.url), { body: Buffer.alloc(32_000_000) });
  assert.equal(status, 413);
  assert.deepEqual(client.sockets('node'), { idle: 0, busy: 0, opened: 1 });
});

test('an early answer that only closing ends is whole when the node closes, though the request is stuck', async () => {
  await using node = await rawNode((_piece, { socket }) => {
    socket.pause();
    socket.end('HTTP/1.1 413 Too Large\r\n\r\ntoo large');
  });
  using client = clientOf();
  const { status, body } = await post(client, targetOf(node.url), { body: Buffer.alloc(32_000_000) });
  assert.deepEqual([status, body.toString()], [413, 'too large']);
});

test('a node that goes away while a long request is being sent has reset it', async () => {
  await using node = await rawNode((_piece, { socket }) => void socket.resetAndDestroy());
  using client = clientOf();
  assert.equal(await failureOf(post(client, targetOf(node.url), { body: Buffer.alloc(32_000_000) })), 'reset');
  assert.deepEqual(client.sockets('node'), { idle: 0, busy: 0, opened: 1 });
});

test('after an abort nothing is told, whatever still comes', async () => {
  await using node = await rawNode((_piece, { socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nx');
  });
  using client = clientOf();
  const told = new Told();
  const exchange = client.exchange(targetOf(node.url), requestOf(), told);
  await until(() => told.calls.length === 2, { what: 'the answer to begin' });
  node.connections[0]?.socket.write('late');
  exchange.abort();
  exchange.abort();
  await until(() => node.open() === 0, { what: 'the connection to be gone' });
  assert.deepEqual([told.calls, told.bytes], [['head', 'data'], 1]);
});

test('an exchange may be aborted within any call, and before it is connected', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n';
  await using node = await rawNode((_piece, { socket }) => void socket.write(answer));
  for (const where of ['before', 'onHead', 'onData'] as const) {
    using client = clientOf();
    const told = new Told();
    const abortIn = (name: string): void => {
      if (name === where) exchange.abort();
    };
    const exchange = client.exchange(targetOf(node.url), requestOf(), {
      onHead: (status, headers) => {
        told.onHead(status, headers);
        abortIn('onHead');
      },
      onData: (chunk) => {
        told.onData(chunk);
        abortIn('onData');
      },
      onEnd: () => told.onEnd(),
      onError: (error) => told.onError(error),
    });
    abortIn('before');
    await until(() => node.open() === 0 && (where === 'before' || told.calls.length > 0), { what: 'it to be gone' });
    assert.deepEqual(told.calls, { before: [], onHead: ['head'], onData: ['head', 'data'] }[where]);
    assert.equal(client.sockets('node').busy, 0);
  }
});

test('a paused exchange stalls its node, and gets every byte once resumed', async () => {
  const size = 30_000_000;
  await using node = await rawNode((_piece, { socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
  });
  using client = clientOf();
  const told = new Told();
  const exchange = client.exchange(targetOf(node.url), requestOf(), told);
  // Before it is connected, too.
  exchange.pause();
  await until(() => node.connections.length === 1, { what: 'the connection' });
  const { socket } = node.connections[0] ?? {};
  assert.ok(socket);
  let last = -1;
  await until(
    () => {
      const hasStalled = socket.bytesWritten > 0 && socket.writableLength > 0 && socket.writableLength === last;
      last = socket.writableLength;
      return hasStalled;
    },
    { what: 'the node to stall' },
  );
  assert.deepEqual(told.calls, []);
  exchange.resume();
  await until(() => told.calls.includes('end'), { what: 'the end' });
  assert.equal(told.bytes, size);
});

test('a connection that was paused to the end of its exchange still sees its node close it', async () => {
  await using node = await rawNode((_piece, { socket }) => void socket.write(HI));
  using client = clientOf();
  const told = new Told();
  const exchange = client.exchange(targetOf(node.url), requestOf(), {
    onHead: () => exchange.pause(),
    onData: () => undefined,
    onEnd: () => told.onEnd(),
    onError: () => undefined,
  });
  await until(() => told.calls.includes('end'), { what: 'the end' });
  assert.equal(client.sockets('node').idle, 1);
  node.connections[0]?.socket.end();
  await until(() => client.sockets('node').idle === 0, { what: 'the connection to leave the pool' });
});

test('an exchange paused on a connection that turns out to be dead is paused on the fresh one too', async () => {
  const size = 32_000_000;
  await using node = await rawNode((piece, { socket, received }, nth) => {
    const isFirstPiece = received() === piece;
    if (isFirstPiece) socket.write(HI);
    else if (nth === 0) socket.resetAndDestroy();
  });
  using client = clientOf();
  await post(client, targetOf(node.url));
  const told = new Told();
  // So long that sending meets the reset: a paused connection is not read.
  const exchange = client.exchange(targetOf(node.url), requestOf({ body: Buffer.alloc(size) }), told);
  exchange.pause();
  await until(() => (node.connections[1]?.socket.bytesRead ?? 0) > size, {
    what: 'the request on a second connection',
  });
  await post(client, targetOf(node.url, { pool: 'other' }));
  assert.deepEqual(told.calls, []);
  exchange.resume();
  await until(() => told.calls.includes('end'), { what: 'the end' });
});
