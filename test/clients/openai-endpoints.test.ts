import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedNode, type ScriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

// What else OpenAI's own client does, beyond chat and responses.

const wav = Buffer.from('RIFF\u0000\u0001\u0002\u0003WAVEfmt ', 'latin1');

const answers: Readonly<Record<string, object>> = {
  '/v1/completions': { object: 'text_completion', choices: [{ index: 0, text: 'a text', finish_reason: 'stop' }] },
  '/v1/moderations': { id: 'm', model: 'llama3', results: [{ flagged: true }] },
  '/v1/images/generations': { created: 0, data: [{ b64_json: 'aW1hZ2U=' }] },
  '/v1/images/edits': { created: 0, data: [{ b64_json: 'ZWRpdA==' }] },
  '/v1/audio/transcriptions': { text: 'what was said' },
  '/v1/audio/translations': { text: 'what was meant' },
};

/** Numbers as the client asks for them, in base64. */
const embeddings: Scripted = (_request, reply) => {
  const embedding = Buffer.from(new Float32Array([0.5, -1]).buffer).toString('base64');
  const data = [{ object: 'embedding', index: 0, embedding }];
  reply.json(200, { object: 'list', model: 'llama3', data, usage: { prompt_tokens: 1, total_tokens: 1 } });
};

const speech: Scripted = (_request, { response }) => {
  response.writeHead(200, { 'content-type': 'audio/wav' });
  response.end(wav);
};

async function withClient(play: (client: OpenAI, node: ScriptedNode) => Promise<void>): Promise<void> {
  const plain = Object.entries(answers).map(([path, answer]): [string, Scripted] => [
    path,
    (_request, reply) => reply.json(200, answer),
  ]);
  const paths = { ...Object.fromEntries(plain), '/v1/embeddings': embeddings, '/v1/audio/speech': speech };
  await using node = await scriptedNode({ paths });
  const models = { llama3: 'llama3', 'vendor/other:8b': '/srv/other.gguf' };
  await using router = await startDataPlane([{ url: node.url, models }]);
  await play(new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 }), node);
  await router.settled(0);
}

test("OpenAI's client lists models and finds one with a slash in its name", async () => {
  await withClient(async (client) => {
    const names: string[] = [];
    for await (const { id } of client.models.list()) names.push(id);
    assert.deepEqual(names.toSorted(), ['llama3', 'vendor/other:8b']);
    assert.equal((await client.models.retrieve('vendor/other:8b')).id, 'vendor/other:8b');
  });
});

test("OpenAI's client gets completions, embeddings and moderations", async () => {
  await withClient(async (client) => {
    const { choices } = await client.completions.create({ model: 'llama3', prompt: 'say' });
    assert.equal(choices[0]?.text, 'a text');
    const { data } = await client.embeddings.create({ model: 'llama3', input: 'one' });
    assert.deepEqual(data[0]?.embedding, [0.5, -1]);
    const { results } = await client.moderations.create({ model: 'llama3', input: 'one' });
    assert.equal(results[0]?.flagged, true);
  });
});

test("OpenAI's client sends sound to be written down, and gets sound", async () => {
  await withClient(async (client, node) => {
    const file = await toFile(wav, 'said.wav', { type: 'audio/wav' });
    const written = await client.audio.transcriptions.create({ model: 'vendor/other:8b', file });
    assert.equal(written.text, 'what was said');
    const sent = node.requests.at(-1)?.body ?? Buffer.alloc(0);
    assert.ok(sent.includes(wav), 'the file arrives as it was');
    assert.match(sent.toString('latin1'), /name="model"\r\n\r\n\/srv\/other\.gguf\r\n/);
    const translated = await client.audio.translations.create({ model: 'llama3', file });
    assert.equal(translated.text, 'what was meant');
    const sound = await client.audio.speech.create({ model: 'llama3', voice: 'alloy', input: 'hello' });
    assert.deepEqual(Buffer.from(await sound.arrayBuffer()), wav);
  });
});

test("OpenAI's client has images made and changed", async () => {
  await withClient(async (client) => {
    const made = await client.images.generate({ model: 'llama3', prompt: 'a router' });
    assert.equal(made.data?.[0]?.b64_json, 'aW1hZ2U=');
    const image = await toFile(Buffer.from('image'), 'image.png', { type: 'image/png' });
    const changed = await client.images.edit({ model: 'llama3', image, prompt: 'a faster one' });
    assert.equal(changed.data?.[0]?.b64_json, 'ZWRpdA==');
  });
});
