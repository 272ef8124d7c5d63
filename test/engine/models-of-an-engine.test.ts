import assert from 'node:assert/strict';
import { at } from '../support/json-path.ts';
import { until } from '../support/until.ts';
import { engineTest } from './stage.ts';

engineTest(
  "an engine's model is listed as loaded, with its size and the context of a slot",
  async ({ engine, weirBefore }) => {
    const weir = await weirBefore([await engine({ slots: 2, ctx: 1024 })]);
    const list: unknown = await (await weir.admin('/api/nodes/engine-1/models')).json();
    const model = at(list, 'data', 0);
    assert.deepEqual([at(model, 'model'), at(model, 'present'), at(model, 'loaded')], ['tiny', true, true]);
    assert.ok(Number(at(model, 'sizeBytes')) > 0, JSON.stringify(model));
    assert.equal(at(model, 'contextTokens'), 1024);
  },
);

engineTest(
  'an engine that was started with one model says so when it is told to unload it',
  async ({ engine, weirBefore }) => {
    const weir = await weirBefore([await engine()]);
    const pull = await weir.admin('/api/nodes/engine-1/models/pull', { body: { model: 'tiny' } });
    assert.deepEqual([pull.status, at(await pull.json(), 'error', 'code')], [422, 'not_supported']);
    const unload = await weir.admin('/api/nodes/engine-1/models/unload', { body: { model: 'tiny' } });
    assert.equal(unload.status, 202);
    const path = `/api/tasks/${String(at(await unload.json(), 'id'))}`;
    const task = await until(
      async () => {
        const now: unknown = await (await weir.admin(path)).json();
        return at(now, 'endedAt') !== null && now;
      },
      { what: 'the end of the task' },
    );
    assert.deepEqual([at(task, 'state'), at(task, 'code')], ['failed', 'not_supported']);
    assert.match(String(at(task, 'detail')), /router mode/);
  },
);
