import assert from 'node:assert/strict';
import { InternalServerError } from 'openai';
import { answerOf, chat, endless, restOf, runningStream } from './chat.ts';
import { engineTest, openai, untilWaiting, type Stage } from './stage.ts';
import type { Weir } from '../support/start-weir.ts';

const messages = [{ role: 'user' as const, content: 'where does my request go' }];

interface Saturated {
  readonly weir: Weir;
  /** Ends the stream that holds the only slot, so that the waiters are served. */
  readonly makeRoom: () => Promise<void>;
}

/** A router with one slot, taken, and as many waiters as it admits. */
async function saturate({ engine, weirBefore, over }: Stage): Promise<Saturated> {
  const weir = await weirBefore([await engine({ layers: 24, slots: 1, ctx: 4096 })], { queue: { maxWaiters: 2 } });
  // How fast the room drains is learned from waiters that were served; until then the wait it tells would be long.
  const crowd = Array.from({ length: 3 }, () => chat(weir.url, { max_tokens: 10 }));
  for (const answer of crowd) await answerOf(await answer);
  const holder = new AbortController();
  const reader = await runningStream(weir.url, endless, AbortSignal.any([holder.signal, over]));
  const waiting: Promise<Response>[] = [];
  for (let waiter = 1; waiter <= 2; waiter++) {
    const answer = chat(weir.url, { max_tokens: 1 }, over);
    // Where no room is made it is still waiting when the test ends, and is aborted.
    answer.catch(() => undefined);
    waiting.push(answer);
    await untilWaiting(weir, waiter);
  }
  return {
    weir,
    makeRoom: async () => {
      holder.abort();
      await assert.rejects(restOf(reader), { name: 'AbortError' });
      for (const answer of waiting) await answerOf(await answer);
    },
  };
}

engineTest('the official client retries a 503 after our Retry-After, and is served', async (stage) => {
  const { weir, makeRoom } = await saturate(stage);
  const attempts: { readonly status: number; readonly atMs: number; readonly retryAfterMs: number }[] = [];
  const client = openai(weir, {
    maxRetries: 2,
    fetch: async (url, init) => {
      const atMs = performance.now();
      const response = await fetch(url, init);
      const retryAfterMs = Number(response.headers.get('retry-after-ms') ?? '0');
      attempts.push({ status: response.status, atMs, retryAfterMs });
      if (response.status === 503) {
        const seconds = Number(response.headers.get('retry-after'));
        assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, `Retry-After is ${seconds}`);
        assert.ok(retryAfterMs > 0 && retryAfterMs <= 60_000, `retry-after-ms is ${retryAfterMs}`);
        await makeRoom();
      }
      return response;
    },
  });
  const answer = await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 3 });
  assert.equal(answer.usage?.completion_tokens, 3);
  assert.deepEqual(
    attempts.map(({ status }) => status),
    [503, 200],
  );
  const [refused, served] = attempts;
  assert.ok(refused && served);
  assert.ok(served.atMs - refused.atMs >= refused.retryAfterMs - 1, 'it did not wait as long as it was told');
});

engineTest('the official client gives up with the refusal when its retries are spent', async (stage) => {
  const { weir } = await saturate(stage);
  let attempts = 0;
  const client = openai(weir, {
    maxRetries: 1,
    fetch: (url, init) => {
      attempts++;
      return fetch(url, init);
    },
  });
  await assert.rejects(client.chat.completions.create({ model: 'tiny', messages, max_tokens: 3 }), (error) => {
    assert.ok(error instanceof InternalServerError);
    assert.equal(error.status, 503);
    assert.equal(error.code, 'capacity_exceeded');
    assert.equal(error.type, 'overloaded_error');
    return true;
  });
  assert.equal(attempts, 2);
});
