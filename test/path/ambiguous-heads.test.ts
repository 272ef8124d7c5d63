import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastAnswer, rawClient } from '../support/raw-client.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

const body = '{"model":"llama3"}';
const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const declared = `content-length: ${body.length}`;

function bytesOf(start: string, lines: readonly string[], sent: string): string {
  return `${[start, ...lines, '', ''].join('\r\n')}${sent}`;
}

async function ask(url: string, bytes: string): Promise<ReturnType<typeof lastAnswer>> {
  using client = rawClient(url);
  client.send(bytes);
  await client.sees(/\r\n\r\n\{.*\}/);
  const answer = lastAnswer(client.received());
  if (answer.headers.get('connection') === 'close') await client.closed();
  return answer;
}

test('a request with two Host headers is refused, whatever they say and wherever it goes', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const chat = 'POST /v1/chat/completions HTTP/1.1';
  for (const bytes of [
    bytesOf(chat, ['host: localhost', 'host: evil.example', declared], body),
    bytesOf(chat, ['host: localhost', declared, 'HOST: localhost'], body),
    bytesOf('GET /v1/models HTTP/1.1', ['host: localhost', 'host: localhost'], ''),
    bytesOf(chat, ['host: localhost', 'host: localhost', 'expect: 100-continue', declared], ''),
  ]) {
    const answer = await ask(router.url, bytes);
    assert.equal(answer.status, 400, bytes);
    assert.match(answer.body, /"message":"[^"]*one Host header[^"]*".*"code":"invalid_header"/);
    assert.ok(answer.headers.has('x-request-id'));
    assert.equal(answer.headers.get('connection'), 'close');
  }
  assert.equal(node.requests.length, 0);
});

test('of transfer codings only chunked is taken, and one that is not known is named as the reason', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url }]);
  const send = (coding: string): Promise<ReturnType<typeof lastAnswer>> =>
    ask(
      router.url,
      bytesOf('POST /v1/chat/completions HTTP/1.1', ['host: localhost', `transfer-encoding: ${coding}`], chunks),
    );
  for (const coding of ['gzip, chunked', 'identity, Chunked', 'gzip\r\ntransfer-encoding: chunked']) {
    const answer = await send(coding);
    assert.equal(answer.status, 501, coding);
    assert.match(answer.body, /"message":"[^"]*Transfer-Encoding[^"]*chunked[^"]*".*"code":"not_implemented"/);
    assert.equal(answer.headers.get('connection'), 'close');
  }
  assert.equal((await send('chunked, chunked')).status, 400, "the parser's own refusal");
  assert.equal(node.requests.length, 0);
  for (const coding of ['chunked', 'Chunked', ' chunked ']) assert.equal((await send(coding)).status, 200, coding);
});
