import assert from 'node:assert/strict';
import { chat, frames, restOf } from './chat.ts';
import { engineTest } from './stage.ts';

const allowed = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'cache-control',
  'retry-after',
  // The router's own, and its HTTP server's.
  'x-request-id',
  'connection',
  'keep-alive',
  'date',
  'transfer-encoding',
]);

engineTest(
  "no header or frame of an answer carries the engine's name, version or address",
  async ({ engine, weirBefore }) => {
    const node = await engine();
    const weir = await weirBefore([node]);
    const plain = await chat(weir.url);
    const stream = await chat(weir.url, { stream: true });
    const said = [await plain.text(), ...(await restOf(frames(stream)))];
    for (const { headers } of [plain, stream]) {
      const extra = [...headers.keys()].filter((name) => !allowed.has(name));
      assert.deepEqual(extra, []);
      said.push(JSON.stringify([...headers]));
    }
    const { port, host } = new URL(node.url);
    for (const text of said) {
      for (const secret of ['system_fingerprint', 'llama.cpp', 'engine-1', host, `:${port}`]) {
        assert.ok(!text.includes(secret), `${secret} in ${text}`);
      }
    }
  },
);

engineTest('a model served under another name keeps the public one in the answer', async ({ engine, weir }) => {
  const node = await engine({ model: 'models/tiny-q8.gguf' });
  const router = await weir({ nodes: [{ name: 'n', url: node.url, models: { chatty: 'models/tiny-q8.gguf' } }] });
  for (const stream of [false, true]) {
    const text = await (await chat(router.url, { model: 'chatty', stream })).text();
    assert.ok(!text.includes('gguf'), text);
    assert.match(text, /"model":"chatty"/);
  }
  assert.equal((await chat(router.url, { model: 'models/tiny-q8.gguf' })).status, 404);
});
