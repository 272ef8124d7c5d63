import assert from 'node:assert/strict';
import { chat, contentOf, restOf, runningStream } from './chat.ts';
import { engineTest, untilBusy } from './stage.ts';
import { until } from '../support/until.ts';

engineTest('a stop lets a running stream finish and refuses new requests', async ({ engine, weirBefore }) => {
  const node = await engine({ layers: 24 });
  const weir = await weirBefore([node]);
  const reader = await runningStream(weir.url, { max_tokens: 200 });
  const stopped = weir.stop();
  const refusal = await until(
    async () => {
      const answer = await chat(weir.url).catch(() => null);
      return answer?.status === 503 ? answer : null;
    },
    { what: 'a refusal' },
  );
  assert.equal(refusal.headers.get('retry-after'), '1');
  assert.match(await refusal.text(), /"draining"/);
  const rest = await restOf(reader);
  assert.equal(rest.at(-1), '[DONE]');
  assert.equal(rest.filter((frame) => contentOf(frame) !== '').length, 199);
  assert.equal(await stopped, 0);
  await untilBusy(node, 0);
});
