import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { type Answer, ownShareMs, refused, served } from './checks.ts';
import { answerText, MICROS_WIDTH, NUMBER_WIDTH, writeDigits } from './texts.ts';

function answerTo(number: number, more: Partial<Answer> = {}): Answer {
  const { bytes, digitsAt } = answerText();
  writeDigits(bytes, digitsAt, NUMBER_WIDTH, number);
  writeDigits(bytes, digitsAt + NUMBER_WIDTH + 1, MICROS_WIDTH, 5_000_000);
  writeDigits(bytes, digitsAt + NUMBER_WIDTH + 1 + MICROS_WIDTH + 1, MICROS_WIDTH, 5_200_500);
  const headEnd = bytes.indexOf('\r\n\r\n') + 4;
  const body = Buffer.from(bytes.subarray(headEnd));
  return { status: 200, head: 'HTTP/1.1 200 OK', body, bodyBytes: body.length, number, totalMs: 350, ...more };
}

test("the own share is the total without the node's time and the wait", () => {
  assert.equal(ownShareMs(350, 5_000_000, 5_200_500, 120), 29.5);
  assert.deepEqual(served(answerTo(7)), { totalMs: 350, ownMs: 149.5 });
  const head = 'HTTP/1.1 200 OK\r\nx-weir-wait-ms: 120\r\ncontent-length: 9';
  assert.deepEqual(served(answerTo(7, { head })), { totalMs: 350, ownMs: 29.5 });
});

test('an answer counts only whole, unchanged and for its own request', () => {
  assert.deepEqual(served(answerTo(7, { status: 502 })), { wrong: 'status 502' });
  assert.deepEqual(served({ ...answerTo(7), number: 8 }), { wrong: "another request's answer" });
  const { body } = answerTo(7);
  assert.deepEqual(served(answerTo(7, { bodyBytes: body.length - 300 })), { wrong: 'an answer without its text' });
  body.write('X', body.indexOf('lazy dog'));
  assert.deepEqual(served(answerTo(7, { body })), { wrong: 'a changed text' });
});

test('a refusal counts only if it says so and when to come back', () => {
  const body = Buffer.from('{"error":{"code":"capacity_exceeded"}}');
  const refusal = answerTo(7, { status: 503, head: 'HTTP/1.1 503 \r\nRetry-After: 2', body, bodyBytes: body.length });
  assert.deepEqual(refused(refusal), { totalMs: 350, ownMs: 350 });
  assert.deepEqual(refused({ ...refusal, head: 'HTTP/1.1 503 ' }), { wrong: 'a refusal without Retry-After' });
  assert.deepEqual(refused({ ...refusal, bodyBytes: 5 }), { wrong: 'another refusal' });
  assert.deepEqual(refused({ ...refusal, status: 200 }), { wrong: 'status 200' });
});
