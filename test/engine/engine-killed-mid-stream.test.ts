import assert from 'node:assert/strict';
import { endless, restOf, runningStream } from './chat.ts';
import { at } from '../support/json-path.ts';
import { engineTest, openai, untilIdle } from './stage.ts';

const slow = { layers: 24, slots: 1, ctx: 4096 };

engineTest(
  'an engine killed in the middle of a stream ends it with an error event and no end marker',
  async ({ engine, weirBefore }) => {
    const node = await engine(slow);
    const weir = await weirBefore([node]);
    const reader = await runningStream(weir.url);
    node.kill();
    const rest = await restOf(reader);
    assert.ok(!rest.includes('[DONE]'));
    const last: unknown = JSON.parse(rest.at(-1) ?? '{}');
    assert.equal(at(last, 'error', 'code'), 'stream_interrupted');
    assert.equal(at(last, 'error', 'type'), 'upstream_error');
    const { port } = new URL(node.url);
    assert.ok(!rest.some((frame) => frame.includes(port) || frame.includes('engine-1')), 'the error names the node');
    await untilIdle(weir);
  },
);

engineTest(
  'the official client throws when the engine is killed in the middle of a stream',
  async ({ engine, weirBefore }) => {
    const node = await engine(slow);
    const weir = await weirBefore([node]);
    const stream = await openai(weir).chat.completions.create({
      ...endless,
      model: 'tiny',
      stream: true,
      messages: [{ role: 'user', content: 'go on' }],
    });
    let tokens = 0;
    await assert.rejects(async () => {
      for await (const { choices } of stream) if (choices.length > 0 && ++tokens === 5) node.kill();
    }, /middle of the answer/);
    assert.ok(tokens >= 5);
  },
);
