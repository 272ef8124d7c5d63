import assert from 'node:assert/strict';
import { answerOf, chat, endless, runningStream } from './chat.ts';
import { engineTest, untilBusy, untilIdle } from './stage.ts';

engineTest('streams go to the less loaded of two engines until both are full', async ({ engine, weirBefore, over }) => {
  const nodes = [await engine({ layers: 24, ctx: 4096 }), await engine({ layers: 24, ctx: 4096 })] as const;
  const weir = await weirBefore(nodes);
  for (const each of [1, 2]) {
    await Promise.all([runningStream(weir.url, endless, over), runningStream(weir.url, endless, over)]);
    for (const node of nodes) await untilBusy(node, each);
  }
});

engineTest('a crowd larger than all slots is served whole, by both engines', async ({ engine, weirBefore }) => {
  const nodes = [await engine({ layers: 12 }), await engine({ layers: 12 })] as const;
  const weir = await weirBefore(nodes);
  const answers = await Promise.all(
    Array.from({ length: 24 }, async () => answerOf(await chat(weir.url, { max_tokens: 10 }))),
  );
  assert.equal(new Set(answers).size, 1);
  await untilIdle(weir);
  for (const name of ['engine-1', 'engine-2']) {
    const { data }: { data: unknown[] } = JSON.parse(await (await weir.admin(`/api/requests?node=${name}`)).text());
    assert.ok(data.length >= 8, `${name} served only ${data.length} of 24`);
  }
});
