import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import assert from 'node:assert/strict';
import { aiSdk } from '../clients/ai-sdk.ts';
import { anthropicClient } from '../clients/anthropic-client.ts';
import type { Ask, HeldClient } from '../clients/hold.ts';
import { langchainClient } from '../clients/langchain-client.ts';
import { ollamaClient } from '../clients/ollama-client.ts';
import { agentsClient } from '../clients/openai-agents-client.ts';
import { openaiClient } from '../clients/openai-client.ts';
import { openaiResponsesClient } from '../clients/openai-responses-client.ts';
import { at } from '../support/json-path.ts';
import { engineTest, untilIdle } from './stage.ts';

// The clients of docs/compatibility.md before llama.cpp, which speaks OpenAI's and Anthropic's dialects itself and is told Ollama's.

const clients: Readonly<Record<string, HeldClient>> = {
  'OpenAI, chat': openaiClient,
  'OpenAI, responses': openaiResponsesClient,
  Anthropic: anthropicClient,
  Ollama: ollamaClient,
  'Vercel AI SDK': aiSdk(({ url, model }) => createOpenAICompatible({ name: 'weir', baseURL: `${url}/v1` })(model)),
  LangChain: langchainClient,
  'OpenAI Agents': agentsClient,
};

for (const [name, client] of Object.entries(clients)) {
  engineTest(`${name}: whole, streamed, with a tool, and left in the middle`, async ({ engine, weirBefore }) => {
    const weir = await weirBefore([await engine({ ctx: 768 })]);
    const ask: Ask = { url: weir.url, key: 'none', model: 'tiny', retries: 0, prompt: 'where does my request go' };
    assert.match(await client.chat(ask), /\w/);
    let pieces = 0;
    for await (const piece of client.stream(ask, new AbortController().signal)) if (piece !== '') pieces += 1;
    assert.ok(pieces > 1, `it came in ${pieces} pieces`);
    const asked: unknown[] = [];
    const answer = await client.useTool({ ...ask, prompt: 'is there room' }, (args) => {
      asked.push(at(args, 'node'));
      return '3 of 4 slots are taken';
    });
    assert.ok(asked.length > 0 && asked.every((node) => node === 'gpu' || node === 'cpu'), JSON.stringify(asked));
    assert.equal(typeof answer, 'string');
    const leaving = new AbortController();
    for await (const piece of client.stream(ask, leaving.signal)) {
      assert.equal(typeof piece, 'string');
      leaving.abort();
      break;
    }
    await untilIdle(weir);
  });
}
