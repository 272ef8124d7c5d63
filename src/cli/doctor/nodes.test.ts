import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { createHttpClient } from '../../http-client/http-client.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Finding } from './finding.ts';
import { reach, unroutedFindings } from './nodes.ts';
import { openFiles, port, proxyVariables } from './surroundings.ts';

const httpClient = createHttpClient({ maxIdlePerNode: 0, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, systemClock);
const verdicts = (findings: readonly Finding[]): string[] => findings.map(({ verdict }) => verdict);

test("a node's clock is compared with ours, to the second", async () => {
  let skewMs = 0;
  await using node = await scriptedNode({
    paths: {
      '/v1/models': (_request, { response }) => {
        response.setHeader('date', new Date(systemClock.wall() + skewMs).toUTCString());
        response.end('{}');
      },
    },
  });
  const equal = await reach(httpClient, systemClock, `${node.url}/v1`);
  assert.ok(equal.failure === null && Math.abs(equal.skewMs ?? 9999) <= 1500, JSON.stringify(equal));
  assert.deepEqual(verdicts(unroutedFindings('n', node.url, equal)), ['ok']);
  skewMs = -3_600_000;
  const behind = unroutedFindings('n', node.url, await reach(httpClient, systemClock, node.url));
  assert.deepEqual(verdicts(behind), ['ok', 'warning']);
  assert.match(behind[1]?.what ?? '', /1h00m|59m\d\ds/);
  assert.match(behind[1]?.what ?? '', /behind ours/);
});

test('a port that another program has is a problem, a free one is none', async () => {
  await using node = await scriptedNode();
  const taken = await port('listen', { host: '127.0.0.1', port: node.port });
  assert.deepEqual([taken.verdict, /is taken by another program/.test(taken.what)], ['problem', true]);
  await node.close();
  assert.equal((await port('listen', { host: '127.0.0.1', port: node.port })).verdict, 'ok');
  assert.equal((await port('listen', { host: '192.0.2.1', port: 0 })).verdict, 'problem');
});

test('proxy variables are a trap unless the router is excepted', () => {
  const listen = { host: '0.0.0.0', port: 9347 };
  assert.equal(proxyVariables({ HOME: '/' }, listen).verdict, 'ok');
  assert.equal(proxyVariables({ http_proxy: 'http://p:1' }, listen).verdict, 'warning');
  assert.equal(proxyVariables({ http_proxy: 'http://p:1', no_proxy: 'a, 127.0.0.1' }, listen).verdict, 'ok');
  assert.equal(proxyVariables({ ALL_PROXY: 'x', NO_PROXY: '*' }, listen).verdict, 'ok');
});

test(
  'the limit of open files is judged by the waiting room and the slots',
  { skip: process.platform !== 'linux' },
  () => {
    assert.equal(openFiles(10, 1, null)?.verdict, 'ok');
    assert.equal(openFiles(1e9, 1, String(process.pid))?.verdict, 'warning');
    assert.equal(openFiles(10, 1, 'nobody'), null);
  },
);
