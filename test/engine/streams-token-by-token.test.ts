import assert from 'node:assert/strict';
import { answerOf, chat, contentOf, frames, restOf } from './chat.ts';
import { at } from '../support/json-path.ts';
import { engineTest } from './stage.ts';

engineTest(
  'tokens reach the client one by one, while the engine is still computing',
  async ({ engine, weirBefore }) => {
    // Slow enough (some 100 tokens a second) that a router which collects the answer would be found out.
    const slow = await engine({ layers: 24 });
    const weir = await weirBefore([slow]);
    const response = await chat(weir.url, { stream: true, max_tokens: 300 });
    assert.equal(response.status, 200);
    let tokens = 0;
    for await (const frame of frames(response)) {
      if (contentOf(frame) === '' || ++tokens % 60 !== 1) continue;
      const { decoded } = (await slow.slots())[0] ?? {};
      assert.ok(decoded && decoded - tokens < 60, `the engine was at token ${decoded} when token ${tokens} came`);
    }
    assert.equal(tokens, 300);
  },
);

engineTest(
  "a stream carries exactly the engine's own answer, its usage and the end marker",
  async ({ engine, weirBefore }) => {
    const node = await engine();
    const weir = await weirBefore([node]);
    const direct = await answerOf(await chat(node.url, { max_tokens: 60 }));
    const routed = await chat(weir.url, { max_tokens: 60, stream: true, stream_options: { include_usage: true } });
    const received = await restOf(frames(routed));
    assert.equal(received.at(-1), '[DONE]');
    assert.equal(received.map(contentOf).join(''), direct);
    assert.equal(direct.split(' ').length >= 60, true);
    const usage: unknown = at(JSON.parse(received.at(-2) ?? '{}'), 'usage', 'completion_tokens');
    assert.equal(usage, 60);
  },
);

engineTest("a plain answer carries exactly the engine's own", async ({ engine, weirBefore }) => {
  const node = await engine();
  const weir = await weirBefore([node]);
  assert.equal(await answerOf(await chat(weir.url)), await answerOf(await chat(node.url)));
});
