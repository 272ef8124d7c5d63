import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../tools/engine/start-engine.ts';
import { until } from '../support/until.ts';
import { chat, endless, restOf, runningStream } from './chat.ts';
import { busySlots, engineTest, untilBusy, untilIdle, untilWaiting } from './stage.ts';

// 24 layers need over half a minute for an endless answer's context, so a slot that is free within the poll's five
// seconds was freed by the cancel.
const slow = { layers: 24, slots: 1, ctx: 4096 };

/**
 * Resolves when the engine's slots are free. While it computes a plain answer llama.cpp 0.7 looks for its client only
 * when no other answer, `/slots` included, left it for a second: whoever looks more often keeps the slot busy, and so
 * does another client's stream. A router can only close the socket.
 */
async function untilLeft(engine: Engine): Promise<void> {
  const look = async (): Promise<boolean> => {
    await delay(1500);
    return (await busySlots(engine)) === 0;
  };
  await until(look, { what: `the slots of ${engine.url} to be free`, withinMs: 10_000 });
}

engineTest("a client that leaves in the middle of a stream frees the engine's slot", async ({ engine, weirBefore }) => {
  const node = await engine(slow);
  const weir = await weirBefore([node]);
  const client = new AbortController();
  const reader = await runningStream(weir.url, endless, client.signal);
  await untilBusy(node, 1);
  client.abort();
  await assert.rejects(restOf(reader), { name: 'AbortError' });
  await untilBusy(node, 0);
  await untilIdle(weir);
});

engineTest(
  "a client that leaves before a plain answer is complete frees the engine's slot",
  async ({ engine, weirBefore }) => {
    const node = await engine(slow);
    const weir = await weirBefore([node]);
    const client = new AbortController();
    const answer = chat(weir.url, endless, client.signal);
    await untilBusy(node, 1);
    client.abort();
    await assert.rejects(answer, { name: 'AbortError' });
    await untilIdle(weir);
    await untilLeft(node);
  },
);

engineTest('a client that leaves while it waits never reaches the engine', async ({ engine, weirBefore }) => {
  const node = await engine(slow);
  const weir = await weirBefore([node]);
  const running = new AbortController();
  const reader = await runningStream(weir.url, endless, running.signal);
  const waiting = new AbortController();
  const answer = chat(weir.url, endless, waiting.signal);
  await untilWaiting(weir, 1);
  waiting.abort();
  await assert.rejects(answer, { name: 'AbortError' });
  await untilWaiting(weir, 0);
  running.abort();
  await assert.rejects(restOf(reader), { name: 'AbortError' });
  await untilBusy(node, 0);
  await untilIdle(weir);
  const { data }: { data: unknown[] } = JSON.parse(await (await weir.admin('/api/requests?node=engine-1')).text());
  assert.equal(data.length, 1);
});
