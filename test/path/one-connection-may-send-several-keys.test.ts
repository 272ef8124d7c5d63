import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { lastAnswer, post, rawClient } from '../support/raw-client.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/v1/chat/completions';

test('each request of a connection is judged by its own key, and by the keys that are known by then', async () => {
  await using node = await scriptedNode();
  const one = testKey(keyHash('one'), { id: 'key-1' });
  const two = testKey(keyHash('two'), { id: 'key-2' });
  await using router = await startDataPlane(
    [{ url: node.url }],
    { auth: { clients: 'required' } },
    { keys: [one, two] },
  );
  using client = rawClient(router.url);
  let asked = 0;
  const ask = async (key: string): Promise<number> => {
    asked += 1;
    client.send(post(path, '{"model":"llama3"}', [`authorization: Bearer ${key}`]));
    await until(() => router.settlements.length === asked || (router.plane.settlements.flush(), false), {
      what: 'an answer',
    });
    await until(() => client.received().split('HTTP/1.1 ').length === asked + 1, { what: 'its bytes' });
    return lastAnswer(client.received()).status;
  };
  for (const key of ['one', 'one', 'two', 'one']) assert.equal(await ask(key), 200, key);
  router.publish([{ url: node.url }], { keys: new Map([two, testKey(keyHash('three'), { id: 'key-3' })]) });
  for (const key of ['two', 'three']) assert.equal(await ask(key), 200, key);
  assert.equal(await ask('one'), 401);
  const settlements = await router.settled(asked);
  const keys = settlements.map(({ keyId }) => keyId);
  assert.deepEqual(keys, ['key-1', 'key-1', 'key-2', 'key-1', 'key-2', 'key-3', null]);
});
