import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { AnswerReader } from './answer-reader.ts';
import { RequestReader } from './request-reader.ts';
import { NUMBER_WIDTH, requestText, writeDigits } from './texts.ts';

const answers = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n',
].join('');

function readIn(pieces: readonly Buffer[]): string[] {
  const seen: string[] = [];
  let body = '';
  const reader = new AnswerReader({
    onHead: (status) => {
      seen.push(String(status));
      body = '';
    },
    onBody: (bytes, start, end) => {
      body += bytes.toString('latin1', start, end);
    },
    onEnd: () => seen.push(body),
  });
  for (const piece of pieces) reader.push(piece, piece.length);
  return seen;
}

test('answers by length and in chunks are read alike wherever they are cut', () => {
  const bytes = Buffer.from(answers);
  const whole = ['200', 'hello', '503', 'helloabcdefghijklmnopqrstuvwxyz', '204', ''];
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(readIn([bytes.subarray(0, cut), bytes.subarray(cut)]), whole, `cut at ${cut}`);
  }
});

test('what is not HTTP is an error, not an answer', () => {
  assert.throws(() => readIn([Buffer.from('SSH-2.0-x\r\n\r\n')]), /not an HTTP/);
  assert.throws(
    () => readIn([Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n')]),
    /chunk size/,
  );
});

test('an answer without a length ends with its connection', () => {
  let ended = 0;
  const reader = new AnswerReader({ onHead: () => undefined, onBody: () => undefined, onEnd: () => (ended += 1) });
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello');
  reader.push(bytes, bytes.length);
  assert.equal(ended, 0);
  assert.equal(reader.close(), true);
  assert.equal(ended, 1);
  assert.equal(reader.close(), false);
});

test('a node tells requests by their number, by length and in chunks, and takes all else aside', () => {
  const text = requestText('h', {}, 'bench', '/v1/chat/completions', false, 1024);
  writeDigits(text.bytes, text.digitsAt, NUMBER_WIDTH, 42);
  const request = text.bytes.toString();
  const body = request.slice(request.indexOf('\r\n\r\n') + 4);
  const size = Buffer.byteLength(body).toString(16);
  const chunked = `POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
  const bytes = Buffer.from(`GET /v1/models HTTP/1.1\r\nhost: h\r\n\r\n${request}${chunked}`);
  for (const cut of [0, 10, 40, 200, 1100, 1300, bytes.length - 3]) {
    const seen: (string | number)[] = [];
    const reader = new RequestReader({
      onAside: (path) => seen.push(path),
      onInference: (number) => seen.push(number),
    });
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) reader.push(piece);
    assert.deepEqual(seen, ['/v1/models', 42, 42], `cut at ${cut}`);
  }
});
