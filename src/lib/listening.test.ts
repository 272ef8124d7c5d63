import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { authority, portOf, startListening } from './listening.ts';

test('a server listens at a free port, and says so when there is none', async () => {
  const first = createServer();
  const second = createServer();
  assert.equal(portOf(first), 0);
  await startListening(first, { host: '127.0.0.1', port: 0 });
  const port = portOf(first);
  assert.ok(port > 0);
  await assert.rejects(startListening(second, { host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
  assert.equal(first.listenerCount('error'), 0);
  first.close();
});

test('an IPv6 address stands in brackets', () => {
  assert.deepEqual([authority('::1', 80), authority('127.0.0.1', 80)], ['[::1]:80', '127.0.0.1:80']);
});
