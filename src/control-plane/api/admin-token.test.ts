import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenCheck } from './admin-token.ts';

test('only the whole token after Bearer opens', () => {
  const opens = tokenCheck('secret');
  for (const header of ['Bearer secret', 'bearer secret', 'Bearer  secret ']) assert.equal(opens(header), true, header);
  const wrong = [
    undefined,
    '',
    'secret',
    'Basic secret',
    'Bearer',
    'Bearer secre',
    'Bearer secrets',
    'Bearer secret x',
  ];
  for (const header of wrong) assert.equal(opens(header), false, header);
});
