import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawNode } from '../../test/support/raw-node.ts';
import { clientOf, post, targetOf } from '../../test/support/test-client.ts';
import { until } from '../../test/support/until.ts';
import { ManualClock } from '../lib/clock.ts';

function answer(headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: 2\r\n\r\nhi`;
}

test('a connection is used until a second before the time that its node keeps it, and closed then', async () => {
  await using node = await rawNode((_piece, { socket }) => {
    socket.write(answer('Connection: keep-alive\r\nKeep-Alive: timeout=5, max=100\r\n'));
  });
  const clock = new ManualClock();
  using client = clientOf({}, clock);
  await post(client, targetOf(node.url));
  clock.advance(3_999);
  await post(client, targetOf(node.url));
  assert.equal(node.connections.length, 1, 'a second before its time it is still used');
  clock.advance(4_000);
  assert.equal(client.sockets('node').idle, 0);
  await until(() => node.open() === 0, { what: 'the connection to be closed' });
  await post(client, targetOf(node.url));
  assert.equal(node.connections.length, 2);
});

test('a longer time than the configured one changes nothing', async () => {
  await using node = await rawNode((_piece, { socket }) => void socket.write(answer('Keep-Alive: timeout=600\r\n')));
  const clock = new ManualClock();
  using client = clientOf({ idleTimeoutMs: 10_000 }, clock);
  await post(client, targetOf(node.url));
  clock.advance(9_999);
  assert.equal(client.sockets('node').idle, 1);
  clock.advance(1);
  assert.equal(client.sockets('node').idle, 0);
  await until(() => node.open() === 0, { what: 'the connection to be closed' });
});

test('after all were closed, later ones are closed in time too', async () => {
  await using node = await rawNode((_piece, { socket }) => void socket.write(answer()));
  const clock = new ManualClock();
  using client = clientOf({ idleTimeoutMs: 10_000 }, clock);
  for (const made of [1, 2, 3]) {
    await post(client, targetOf(node.url));
    clock.advance(9_999);
    assert.deepEqual(client.sockets('node'), { idle: 1, busy: 0, opened: made });
    clock.advance(1);
    assert.equal(client.sockets('node').idle, 0);
  }
});

test('each idle connection is closed at its own time, by one timer', async () => {
  let left = 2;
  const waiting: (() => void)[] = [];
  await using node = await rawNode((_piece, { socket }) => {
    waiting.push(() => socket.write(answer()));
    left -= 1;
    if (left === 0) for (const go of waiting.splice(0)) go();
  });
  const clock = new ManualClock();
  using client = clientOf({ idleTimeoutMs: 10_000 }, clock);
  await Promise.all([post(client, targetOf(node.url)), post(client, targetOf(node.url))]);
  clock.advance(6_000);
  left = 1;
  await post(client, targetOf(node.url));
  assert.equal(node.connections.length, 2);
  clock.advance(4_000);
  assert.equal(client.sockets('node').idle, 1, 'only the one that was not used since');
  clock.advance(5_999);
  assert.equal(client.sockets('node').idle, 1);
  clock.advance(1);
  assert.equal(client.sockets('node').idle, 0);
});

test('the connection used last is used first', async () => {
  let held: (() => void)[] = [];
  let isHolding = true;
  const seen: number[] = [];
  await using node = await rawNode((_piece, { socket }, nth) => {
    const go = (): void => void socket.write(answer());
    seen.push(nth);
    if (isHolding) held.push(go);
    else go();
  });
  using client = clientOf();
  const both = [post(client, targetOf(node.url)), post(client, targetOf(node.url))];
  await until(() => held.length === 2, { what: 'both requests' });
  held[1]?.();
  await both[1];
  held[0]?.();
  await both[0];
  held = [];
  isHolding = false;
  for (let sent = 0; sent < 3; sent += 1) await post(client, targetOf(node.url));
  const [first] = seen;
  assert.deepEqual(seen.slice(2), [first, first, first]);
});

test('a node that closes idle connections early is learned, and costs no request a second try', async () => {
  const clock = new ManualClock();
  await using node = await rawNode((_piece, { socket }) => void socket.write(answer()));
  using client = clientOf({}, clock);
  for (const nth of [0, 1]) {
    await post(client, targetOf(node.url));
    clock.advance(5_000);
    node.connections[nth]?.socket.end();
    await until(() => client.sockets('node').idle === 0, { what: 'the close to be seen' });
  }
  await post(client, targetOf(node.url));
  clock.advance(4_001);
  assert.equal(client.sockets('node').idle, 0, 'retired before the age at which the node closes');
});

test('connections closed for what their node said teach nothing of its habits', async () => {
  const clock = new ManualClock();
  await using node = await rawNode((_piece, { socket }) => void socket.write(answer()));
  using client = clientOf({}, clock);
  for (const nth of [0, 1]) {
    await post(client, targetOf(node.url));
    clock.advance(5_000);
    node.connections[nth]?.socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await until(() => client.sockets('node').idle === 0, { what: 'the connection to leave the pool' });
  }
  await post(client, targetOf(node.url));
  clock.advance(59_999);
  assert.equal(client.sockets('node').idle, 1);
});
