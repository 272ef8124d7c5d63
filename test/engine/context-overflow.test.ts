import assert from 'node:assert/strict';
import { chat } from './chat.ts';
import { engineTest } from './stage.ts';

engineTest(
  "a prompt longer than the context gets the engine's own 400, word for word",
  async ({ engine, weirBefore }) => {
    const node = await engine({ ctx: 512 });
    const weir = await weirBefore([node]);
    for (const stream of [false, true]) {
      const tooLong = { stream, messages: [{ role: 'user', content: 'word '.repeat(600) }] };
      const direct = await chat(node.url, tooLong);
      const routed = await chat(weir.url, tooLong);
      assert.equal(direct.status, 400);
      assert.equal(routed.status, 400);
      const told: unknown = await routed.json();
      assert.deepEqual(told, await direct.json());
      assert.match(JSON.stringify(told), /context/i);
    }
  },
);
