import assert from 'node:assert/strict';
import { at } from '../support/json-path.ts';
import { engineTest } from './stage.ts';

engineTest('an engine is recognised, and its slots are those it tells', async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine({ slots: 3 }), await engine({ slots: 1, model: 'other' })]);
  const list: unknown = await (await weir.admin('/api/nodes')).json();
  const nodes = [at(list, 'data', 0), at(list, 'data', 1)];
  assert.deepEqual(
    nodes.map((node) => at(node, 'engine')),
    ['llamacpp', 'llamacpp'],
  );
  assert.deepEqual(
    nodes.map((node) => at(node, 'slots')),
    [3, 1],
  );
  assert.deepEqual(
    nodes.map((node) => at(node, 'models')),
    [['tiny'], ['other']],
  );
  const offered: unknown = await (await fetch(`${weir.url}/v1/models`)).json();
  assert.deepEqual(new Set([at(offered, 'data', 0, 'id'), at(offered, 'data', 1, 'id')]), new Set(['other', 'tiny']));
});

engineTest('an engine registered at run time is offered at once', async ({ engine, weir }) => {
  const router = await weir();
  const node = await engine();
  const created = await router.admin('/api/nodes', { body: { name: 'late', url: `${node.url}/v1` } });
  assert.equal(created.status, 201);
  assert.equal(at(await created.json(), 'state'), 'ready');
  assert.equal((await fetch(`${router.url}/v1/models/tiny`)).status, 200);
});
