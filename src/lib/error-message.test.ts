import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorMessageOf } from './error-message.ts';

test('finds the sentence in the error forms of known engines', () => {
  const bodies: [unknown, string][] = [
    [{ error: { message: 'too long', type: 'invalid_request_error', param: null, code: 400 } }, 'too long'],
    [
      { error: { code: 400, message: 'exceeds context', type: 'exceed_context_size_error', n_ctx: 512 } },
      'exceeds context',
    ],
    [{ error: 'model "x" not found' }, 'model "x" not found'],
    [
      { type: 'error', error: { type: 'invalid_request_error', message: 'max_tokens: required' } },
      'max_tokens: required',
    ],
    [{ object: 'error', message: 'bad', type: 'BadRequestError', code: 400 }, 'bad'],
    [{ detail: 'Not Found' }, 'Not Found'],
    [{ detail: { message: 'nested' } }, 'nested'],
    [
      { detail: [{ type: 'missing', loc: ['body', 'messages', 0], msg: 'Field required' }, { msg: 'other' }] },
      'body.messages.0: Field required; other',
    ],
    [[{ error: { code: 400, message: 'in a list', status: 'INVALID_ARGUMENT' } }], 'in a list'],
    ['plain', 'plain'],
  ];
  for (const [body, message] of bodies) assert.equal(errorMessageOf(body), message);
});

test('finds none where there is none', () => {
  const shadowed: unknown = Object.create({ error: 'inherited' });
  for (const body of [
    null,
    undefined,
    3,
    '',
    {},
    [],
    { error: {} },
    { error: null, detail: [] },
    { message: '' },
    shadowed,
  ]) {
    assert.equal(errorMessageOf(body), null);
  }
});
