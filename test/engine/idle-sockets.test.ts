import assert from 'node:assert/strict';
import { answerOf, chat } from './chat.ts';
import { engineTest } from './stage.ts';

// llama.cpp closes a socket after a number of requests that it names in its `Keep-Alive` header (100 in version 0.7).
engineTest("an engine's own limit of requests per socket costs no client an error", async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine({ slots: 1 })]);
  for (let request = 0; request < 250; request++) {
    assert.notEqual(await answerOf(await chat(weir.url, { max_tokens: 1 })), '');
  }
});
