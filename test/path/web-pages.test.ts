import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey } from '../support/start-data-plane.ts';
import { lastAnswer, post, rawClient } from '../support/raw-client.ts';

const body = '{"model":"llama3"}';

async function statusWith(url: string, lines: readonly string[]): Promise<string> {
  using client = rawClient(url);
  const request = post('/v1/chat/completions', body, [
    'connection: close',
    ...lines.filter((line) => !line.startsWith('host:')),
  ]);
  const host = lines.find((line) => line.startsWith('host:'));
  client.send(host === undefined ? request : request.replace('host: localhost', host));
  await client.closed();
  const answer = lastAnswer(client.received());
  return `${answer.status} ${/"code":"(\w+)"/.exec(answer.body)?.[1] ?? ''}`.trim();
}

test('no web page can use a router on loopback that asks for no keys', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const { host } = new URL(router.url);
  const refused = '403 foreign_origin';
  const cases: [string[], string][] = [
    [[`host: ${host}`], '200'],
    [['host: localhost'], '200'],
    [['host: LOCALHOST:1'], '200'],
    [['host: [::1]:9347'], '200'],
    [['host: app.localhost:80'], '200'],
    [['host: evil.example'], refused],
    [['host: evil.example:9347'], refused],
    [['host: localhost.evil.example'], refused],
    [['host: 127.0.0.1.evil.example'], refused],
    [['host: 10.0.0.5:9347'], refused],
    [['host: '], refused],
    [[`host: ${host}`, `origin: http://${host}`], '200'],
    [[`host: ${host}`, 'origin: https://evil.example'], refused],
    [[`host: ${host}`, 'origin: http://localhost:3000'], refused],
    [[`host: ${host}`, 'origin: null'], refused],
    [[`host: ${host}`, 'origin: nonsense'], refused],
  ];
  for (const [lines, expected] of cases) assert.equal(await statusWith(router.url, lines), expected, lines.join(', '));
  const list = await fetch(`${router.url}/v1/models`, { headers: { origin: 'https://evil.example' } });
  assert.equal(list.status, 403);
});

test('with a valid key it does not matter where a request comes from', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }], {}, { keys: [testKey(keyHash('good'))] });
  const page = ['host: evil.example', 'origin: https://evil.example'];
  assert.equal(await statusWith(router.url, [...page, 'authorization: Bearer good']), '200');
  assert.equal(await statusWith(router.url, [...page, 'authorization: Bearer bad']), '403 foreign_origin');
});
