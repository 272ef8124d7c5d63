import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { status, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

const paths = ['/v1/audio/transcriptions', '/v1/audio/translations', '/v1/images/edits', '/v1/images/variations'];
const sound = randomBytes(300_000);

function form(fields: Readonly<Record<string, string>> = { model: 'llama3' }): FormData {
  const made = new FormData();
  made.set('file', new Blob([sound], { type: 'audio/wav' }), 'a.wav');
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

const heard: Scripted = (_request, reply) => reply.json(200, { text: 'hello' });

test('a form goes to the node byte for byte, with its boundary', async () => {
  await using node = await scriptedNode(heard);
  await using router = await startDataPlane([{ url: node.url }]);
  for (const [turn, path] of paths.entries()) {
    const sent = new Request('http://client/', { method: 'POST', body: form() });
    const contentType = sent.headers.get('content-type') ?? '';
    const body = Buffer.from(await sent.arrayBuffer());
    const answer = await fetch(router.url + path, { method: 'POST', body, headers: { 'content-type': contentType } });
    assert.deepEqual([answer.status, await answer.text()], [200, '{"text":"hello"}'], path);
    const seen = node.requests[turn];
    assert.equal(seen?.path, path);
    assert.equal(seen.headers['content-type'], contentType);
    assert.ok(seen.body.equals(body));
  }
});

test('a node that knows the model by another name is asked by that name, wherever in the form it stands', async () => {
  await using node = await scriptedNode(heard);
  await using router = await startDataPlane([{ url: node.url, models: { ear: 'openai/whisper-large' } }]);
  const answer = await fetch(router.url + paths[0], { method: 'POST', body: form({ model: 'ear', language: 'de' }) });
  assert.equal(answer.status, 200);
  const [seen] = node.requests;
  assert.ok(seen);
  const read = await new Response(seen.body, {
    headers: { 'content-type': String(seen.headers['content-type']) },
  }).formData();
  assert.deepEqual([read.get('model'), read.get('language')], ['openai/whisper-large', 'de']);
  const file = read.get('file');
  assert.ok(file instanceof Blob && Buffer.from(await file.arrayBuffer()).equals(sound));
});

test('the official client transcribes, and gets subtitles as the text they are', async () => {
  await using node = await scriptedNode((request, reply) => {
    if (!request.body.includes('name="response_format"')) return reply.json(200, { text: 'hello' });
    reply.response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    reply.response.end('1\n00:00 --> 00:01\nhello\n');
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const file = await toFile(sound, 'a.wav');
  assert.equal((await client.audio.transcriptions.create({ model: 'llama3', file })).text, 'hello');
  const subtitles = await client.audio.transcriptions.create({ model: 'llama3', file, response_format: 'srt' });
  assert.equal(subtitles, '1\n00:00 --> 00:01\nhello\n');
});

test('an upload that was sent is not sent to another node, one that could not be sent is', async () => {
  await using failing = await scriptedNode(status(500));
  await using router = await startDataPlane([{ url: failing.url }, { url: failing.url }]);
  const failed = await fetch(router.url + paths[0], { method: 'POST', body: form() });
  assert.equal(failed.status, 502);
  assert.equal(failing.requests.length, 1);

  await using node = await scriptedNode(heard);
  router.publish([
    { url: 'http://127.0.0.1:1', slots: 100, generation: 2 },
    { url: node.url, slots: 1, generation: 2 },
  ]);
  const served = await fetch(router.url + paths[0], { method: 'POST', body: form() });
  assert.equal(served.status, 200);
});

test('a form that cannot be used is refused before any node sees it', async () => {
  await using node = await scriptedNode(heard);
  await using router = await startDataPlane([{ url: node.url }], { limits: { bodyBytes: 400_000 } });
  for (const [body, code, expected] of [
    [form({}), 400, 'missing_model'],
    [form({ model: ' ' }), 400, 'invalid_model'],
    [form({ model: 'nobody' }), 404, 'model_not_found'],
    [form({ model: 'llama3', prompt: 'x'.repeat(200_000) }), 413, 'body_too_large'],
  ] as const) {
    const answer = await fetch(router.url + paths[0], { method: 'POST', body });
    assert.equal(answer.status, code);
    assert.match(await answer.text(), new RegExp(`^\\{"error":.*"code":"${expected}"\\}\\}$`));
  }
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const torn = await fetch(router.url + paths[0], { method: 'POST', body: '--x\r\ntorn', headers });
  assert.deepEqual([torn.status, /"code":"(\w+)"/.exec(await torn.text())?.[1]], [400, 'invalid_form']);
  assert.equal(node.requests.length, 0);
});

test('an endpoint that takes no forms does not read one', async () => {
  await using router = await startDataPlane([{ url: 'http://127.0.0.1:1' }]);
  const answer = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body: form() });
  assert.match(await answer.text(), /"invalid_json"/);
});
