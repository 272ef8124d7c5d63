import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, TestBody } from '../../../test/support/paced-body.ts';
import { rawNode } from '../../../test/support/raw-node.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { clientOf, failureOf, post, requestOf, targetOf, Told } from '../../../test/support/test-client.ts';
import { until } from '../../../test/support/until.ts';

const HI = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const TEXT = 'The quick brown fox\r\n0\r\n\r\njumps.';

test('a body cut in two at any byte, or into single bytes, arrives whole, with its length or in chunks', async () => {
  await using node = await scriptedNode();
  using client = clientOf();
  const cuts = Array.from({ length: TEXT.length + 1 }, (_, at) => [TEXT.slice(0, at), TEXT.slice(at)]);
  for (const isChunked of [false, true]) {
    for (const pieces of [...cuts, Array.from(TEXT), ['']]) {
      const { status } = await post(client, targetOf(node.url), { body: bodyOf(pieces, isChunked) });
      const seen = node.requests.at(-1);
      assert.deepEqual([status, seen?.body.toString()], [200, pieces.join('')]);
      assert.equal(seen?.headers['content-length'], isChunked ? undefined : String(pieces.join('').length));
      assert.equal(seen?.headers['transfer-encoding'], isChunked ? 'chunked' : undefined);
    }
  }
});

test('it gets a fresh connection, which others use after it', async () => {
  await using node = await scriptedNode();
  using client = clientOf();
  await post(client, targetOf(node.url));
  await post(client, targetOf(node.url), { body: bodyOf([TEXT], true) });
  assert.deepEqual(client.sockets('node'), { idle: 2, busy: 0, opened: 2 });
  await post(client, targetOf(node.url));
  assert.equal(node.sockets().opened, 2);
});

for (const [what, bytes, given] of [
  ['longer', 5, '123456'],
  ['shorter', 7, '123456'],
] as const) {
  test(`a body that turns out ${what} than it was said to be never looks whole`, async () => {
    let received = '';
    await using node = await rawNode((piece) => {
      received += piece;
    });
    using client = clientOf();
    const body = new TestBody(bytes, (sink) => {
      sink.write(Buffer.from(given.slice(0, 3)));
      sink.write(Buffer.from(given.slice(3)));
      sink.end();
    });
    await assert.rejects(post(client, targetOf(node.url), { body }), new RegExp(`the body is ${what} than its length`));
    await until(() => node.open() === 0, { what: 'the node to see the connection closed' });
    assert.ok((received.split('\r\n\r\n')[1] ?? '').length < bytes);
    assert.deepEqual(client.sockets('node'), { idle: 0, busy: 0, opened: 1 });
  });
}

test('a body in chunks that is given up has no last chunk', async () => {
  await using node = await rawNode(() => undefined);
  using client = clientOf();
  const body = new TestBody(null, (sink) => sink.write(Buffer.from('half')));
  const exchange = client.exchange(targetOf(node.url), requestOf({ body }), new Told());
  await until(() => node.connections[0]?.received().includes('half'), { what: 'the first half' });
  exchange.abort();
  body.sink?.write(Buffer.from('late'));
  body.sink?.end();
  await until(() => node.open() === 0, { what: 'the connection to be gone' });
  assert.match(node.connections[0]?.received() ?? '', /\r\n\r\n4\r\nhalf\r\n$/);
});

test('a node that does not read pauses the body, and one that reads again gets every byte', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const pieces = 400;
  await using node = await rawNode((received, { socket }) => {
    if (received.includes('first')) socket.pause();
    if (received.endsWith('0\r\n\r\n')) socket.write(HI);
  });
  using client = clientOf();
  let given = 0;
  const body = new TestBody(null);
  const give = (): void => {
    for (; given < pieces && !body.isPaused; given += 1) body.sink?.write(piece);
    if (given === pieces) body.sink?.end();
  };
  body.pour = (sink) => {
    body.sink = sink;
    sink.write(Buffer.from('first'));
  };
  body.resume = () => {
    body.isPaused = false;
    give();
  };
  const told = new Told();
  client.exchange(targetOf(node.url), requestOf({ body }), told);
  await until(() => node.connections[0]?.received().includes('first'), { what: 'the request' });
  give();
  assert.ok(body.isPaused && given < pieces, `${given} pieces were taken`);
  node.connections[0]?.socket.resume();
  await until(() => told.calls.includes('end'), { what: 'the answer', withinMs: 20_000 });
  assert.equal(given, pieces);
  assert.deepEqual(client.sockets('node'), { idle: 1, busy: 0, opened: 1 });
});

test('an answer that comes before the body is through is taken; the body is paused for good, the connection closed', async () => {
  for (const status of ['200 OK', '413 Too Large']) {
    await using node = await rawNode((_piece, { socket }) => {
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nhi`);
    });
    using client = clientOf();
    const body = new TestBody(100, (sink) => sink.write(Buffer.from('half')));
    const answer = await post(client, targetOf(node.url), { body });
    assert.equal(`${answer.status} ${answer.body.toString()}`, `${status.slice(0, 3)} hi`);
    assert.ok(body.isPaused);
    await until(() => node.open() === 0, { what: 'the connection to be closed' });
    assert.deepEqual(client.sockets('node'), { idle: 0, busy: 0, opened: 1 });
  }
});

test('an answer may begin before the body is through and end after it; then the connection is used again', async () => {
  await using node = await rawNode((piece, { socket }) => {
    if (piece.includes('half')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh');
    if (piece.endsWith('rest')) socket.write('i');
  });
  using client = clientOf();
  const body = new TestBody(8, (sink) => sink.write(Buffer.from('half')));
  const told = new Told();
  client.exchange(targetOf(node.url), requestOf({ body }), told);
  await until(() => told.bytes === 1, { what: 'the answer to begin' });
  body.sink?.write(Buffer.from('rest'));
  body.sink?.end();
  await until(() => told.calls.includes('end'), { what: 'its end' });
  assert.deepEqual(client.sockets('node'), { idle: 1, busy: 0, opened: 1 });
});

test('an error that begins before the body is through stops the body at once', async () => {
  await using node = await rawNode((_piece, { socket }) => {
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nn');
  });
  using client = clientOf();
  const body = new TestBody(null, (sink) => sink.write(Buffer.from('half')));
  const told = new Told();
  client.exchange(targetOf(node.url), requestOf({ body }), told);
  await until(() => told.bytes === 1, { what: 'the answer to begin' });
  assert.ok(body.isPaused);
  body.sink?.write(Buffer.from('more'));
  node.connections[0]?.socket.write('o');
  await until(() => told.calls.includes('end'), { what: 'its end' });
  assert.ok(!node.connections[0]?.received().includes('more'));
});

test('a node that resets within the body has reset it, and nothing is tried again', async () => {
  await using node = await rawNode((_piece, { socket }) => void socket.resetAndDestroy());
  using client = clientOf();
  const body = new TestBody(null, (sink) => sink.write(Buffer.from('half')));
  assert.equal(await failureOf(post(client, targetOf(node.url), { body })), 'reset');
  assert.deepEqual(client.sockets('node'), { idle: 0, busy: 0, opened: 1 });
});

test('a body is not asked for before its node is connected', async () => {
  using client = clientOf();
  const body = new TestBody(null);
  assert.equal(await failureOf(post(client, targetOf('http://127.0.0.1:1'), { body })), 'connect-failed');
  assert.equal(body.sink, null);
});
