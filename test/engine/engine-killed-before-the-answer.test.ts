import assert from 'node:assert/strict';
import { until } from '../support/until.ts';
import { answerOf, chat, contentOf, endless, frames, restOf, runningStream } from './chat.ts';
import { at } from '../support/json-path.ts';
import { busySlots, engineTest, untilBusy, untilIdle, untilWaiting } from './stage.ts';

const slow = { layers: 24, slots: 1, ctx: 4096 };

engineTest(
  'an answer that had not begun moves to the other engine when its own is killed',
  async ({ engine, weirBefore }) => {
    const nodes = [await engine(slow), await engine(slow)] as const;
    const weir = await weirBefore(nodes);
    const answer = chat(weir.url, { max_tokens: 200 });
    const [victim, other] = await until(
      async () => {
        if ((await busySlots(nodes[0])) === 1) return [nodes[0], nodes[1]] as const;
        return (await busySlots(nodes[1])) === 1 && ([nodes[1], nodes[0]] as const);
      },
      { what: 'an engine at work' },
    );
    victim.kill();
    const text = await answerOf(await answer);
    assert.equal(text, await answerOf(await chat(other.url, { max_tokens: 200 })));
    await untilIdle(weir);
  },
);

engineTest(
  'requests that wait when an engine is killed are served by the other',
  async ({ engine, weirBefore, over }) => {
    const nodes = [await engine(slow), await engine(slow)] as const;
    // A stream that breaks is told so, instead of waiting in front of the others for the engine that is left.
    const weir = await weirBefore(nodes, { streams: { resume: false } });
    const clients = [new AbortController(), new AbortController()] as const;
    const readers = [
      await runningStream(weir.url, endless, clients[0].signal),
      await runningStream(weir.url, endless, clients[1].signal),
    ] as const;
    for (const node of nodes) await untilBusy(node, 1);
    const waiting = Array.from({ length: 3 }, () => chat(weir.url, { stream: true, max_tokens: 5 }, over));
    await untilWaiting(weir, 3);

    nodes[0].kill();
    // Which of the two streams ran there is seen by which of them breaks; the other goes on until its client leaves.
    const broken = await Promise.race(
      readers.map(async (reader, index) => {
        for await (const frame of reader)
          if (at(JSON.parse(frame), 'error', 'code') === 'stream_interrupted') return index;
        throw new Error('a stream ended without an error');
      }),
    );
    clients[broken === 0 ? 1 : 0].abort();

    for (const answer of waiting) {
      const received = await restOf(frames(await answer));
      assert.equal(received.at(-1), '[DONE]');
      assert.notEqual(received.map(contentOf).join(''), '');
    }
  },
);
