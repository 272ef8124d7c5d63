import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { createHttpClient } from '../../http-client/http-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { buffering, judged } from './buffering.ts';

test('a stream that comes in one piece at its end was collected, one that comes bit by bit was not', () => {
  assert.equal(judged('http://p', 20, 50, 1000).verdict, 'ok');
  const collected = judged('http://p', 1, 1000, 1000);
  assert.equal(collected.verdict, 'problem');
  assert.match(collected.advice ?? '', /proxy_buffering off/);
  assert.equal(judged('http://p', 20, 950, 1000).verdict, 'problem', 'all of it in the last moment');
  assert.equal(judged('http://p', 1, 900, 1200).verdict, 'problem', 'one piece, its end a little later');
  assert.equal(judged('http://p', 1, 20, 20).verdict, 'warning', 'too quick to tell');
});

test('what answers otherwise, or not at all, is told as that', async () => {
  const httpClient = createHttpClient({ maxIdlePerNode: 1, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, systemClock);
  const node = await scriptedNode((_request, reply) => reply.json(404, { error: { message: 'no such model' } }));
  const asked = { url: `${node.url}/`, model: 'm', key: 'k' };
  const refused = await buffering(httpClient, systemClock, asked);
  assert.deepEqual([refused.verdict, /answered 404 to a chat with m/.test(refused.what)], ['problem', true]);
  assert.equal(node.requests[0]?.headers.authorization, 'Bearer k');
  await node.close();
  const away = await buffering(httpClient, systemClock, asked);
  assert.match(away.what, /gives no answer/);
  httpClient.close();
});
