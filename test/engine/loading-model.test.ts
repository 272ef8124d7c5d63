import assert from 'node:assert/strict';
import { freePort } from '../../tools/engine/start-engine.ts';
import { answerOf, chat } from './chat.ts';
import { at } from '../support/json-path.ts';
import { engineTest } from './stage.ts';

engineTest('a request for a model that is still loading waits for it', async ({ engine, weir }) => {
  const port = await freePort();
  const router = await weir({ health: { interval: '200ms', timeout: '1s' } });
  // 96 layers load for over a second, in which the engine listens and answers 503.
  const node = await engine({ layers: 96, slots: 1, port, until: 'listening' });
  const created = await router.admin('/api/nodes', { body: { name: 'slow', url: node.url, models: ['tiny'] } });
  assert.equal(at(await created.json(), 'state'), 'loading', 'the model was loaded too fast for this test');
  const answer = await chat(router.url, { max_tokens: 3 });
  assert.notEqual(await answerOf(answer), '');
  assert.ok(Number(answer.headers.get('x-weir-wait-ms')) > 0, 'it did not wait');
  assert.equal(at(await (await router.admin('/api/nodes/slow')).json(), 'breaker'), 'closed');
});
