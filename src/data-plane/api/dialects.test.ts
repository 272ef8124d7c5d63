import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../fleet/errors.ts';
import type { ErrorCode } from '../../fleet/errors.ts';
import { clientError } from './dialect.ts';
import { dialects } from './dialects.ts';

function isCode(name: string): name is ErrorCode {
  return Object.hasOwn(errors, name);
}

const codes = Object.keys(errors).filter(isCode);

function parse(body: Buffer): unknown {
  return JSON.parse(body.toString());
}

test('an error carries its row of the table, and what the place it arose adds', () => {
  const standing = { position: 4, estimatedWaitMs: 2000 };
  assert.deepEqual(clientError('wait_timeout', { requestId: 'r1', retryAfterMs: 1500, standing }), {
    code: 'wait_timeout',
    message: errors.wait_timeout.message,
    status: 504,
    type: 'timeout_error',
    requestId: 'r1',
    retryAfterMs: 1500,
    standing,
  });
  const own = clientError('upstream_failed', { requestId: 'r1', message: 'own words' });
  assert.equal(own.message, 'own words');
  assert.equal(own.retryAfterMs, null);
});

test('OpenAI clients get an error object', () => {
  const error = clientError('capacity_exceeded', { requestId: 'r1', message: 'full' });
  const shape = { error: { message: 'full', type: 'overloaded_error', param: null, code: 'capacity_exceeded' } };
  assert.deepEqual(parse(dialects.openai.errorBody(error)), shape);
  assert.equal(dialects.openai.streamError(error).toString(), `data: ${JSON.stringify(shape)}\n\n`);
});

test('Anthropic clients get an error event with their own word for the type', () => {
  const error = clientError('stream_interrupted', { requestId: 'r1', message: 'broke' });
  const shape = {
    type: 'error',
    error: { type: 'api_error', message: 'broke', code: 'stream_interrupted' },
    request_id: 'r1',
  };
  assert.deepEqual(parse(dialects.anthropic.errorBody(error)), shape);
  assert.equal(dialects.anthropic.streamError(error).toString(), `event: error\ndata: ${JSON.stringify(shape)}\n\n`);
  const words: [ErrorCode, string][] = [
    ['invalid_json', 'invalid_request_error'],
    ['method_not_allowed', 'invalid_request_error'],
    ['invalid_api_key', 'authentication_error'],
    ['not_allowed', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['body_too_large', 'request_too_large'],
    ['rate_limit_exceeded', 'rate_limit_error'],
    ['internal_error', 'api_error'],
    ['upstream_failed', 'api_error'],
    ['no_ready_node', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
  ];
  for (const [code, word] of words) {
    const body = dialects.anthropic.errorBody(clientError(code, { requestId: 'r' })).toString();
    assert.ok(body.startsWith(`{"type":"error","error":{"type":"${word}",`), body);
  }
});

test('Ollama clients get a sentence, and a line of their stream', () => {
  const error = clientError('model_not_found', { requestId: 'r1', message: 'none' });
  const shape = { error: 'none', code: 'model_not_found', type: 'invalid_request_error' };
  assert.deepEqual(parse(dialects.ollama.errorBody(error)), shape);
  assert.equal(dialects.ollama.streamError(error).toString(), `${JSON.stringify(shape)}\n`);
});

test('no message can break out of its frame', () => {
  const message = 'a\n\ndata: [DONE]\r\n\r\nevent: x';
  for (const form of Object.values(dialects)) {
    for (const code of codes) {
      const frame = form.streamError(clientError(code, { requestId: 'r', message })).toString();
      const lines = frame.trimEnd().split(/[\r\n]+/);
      assert.equal(lines.length, form.name === 'anthropic' ? 2 : 1);
      assert.equal(frame.includes('\n\n'), form.streamForm === 'sse');
    }
  }
});

test('keep-alives mean nothing to the parsers of each form', () => {
  assert.equal(dialects.openai.keepAlive('waited 1 ms').toString(), ': waited 1 ms\n\n');
  assert.equal(
    dialects.anthropic.keepAlive('waited 1 ms').toString(),
    ': waited 1 ms\n\nevent: ping\ndata: {"type": "ping"}\n\n',
  );
  const line = Buffer.concat([
    dialects.ollama.keepAlive('waited 1 ms'),
    dialects.ollama.keepAlive('waited 1 ms'),
    Buffer.from('{"done":true}'),
  ]);
  assert.deepEqual(parse(line), { done: true });
});
