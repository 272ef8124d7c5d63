import assert from 'node:assert/strict';
import { answerOf, chat, endless, runningStream } from './chat.ts';
import { engineTest, untilBusy, untilIdle } from './stage.ts';

engineTest('four streams fill the two slots of each of two engines', async ({ engine, weirBefore, over }) => {
  const nodes = [await engine({ layers: 24, ctx: 4096 }), await engine({ layers: 24, ctx: 4096 })] as const;
  const weir = await weirBefore(nodes);
  await Promise.all(Array.from({ length: 4 }, () => runningStream(weir.url, endless, over)));
  for (const node of nodes) await untilBusy(node, 2);
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
