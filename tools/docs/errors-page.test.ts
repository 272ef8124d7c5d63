import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../src/fleet/errors.ts';
import { errorsPage } from './errors-page.ts';

test('every code has a section with its status and what to do', () => {
  const page = errorsPage();
  for (const [code, { status, message }] of Object.entries(errors)) {
    const [, section = ''] = page.split(`\n## ${code}\n`);
    assert.ok(section.startsWith(`\n${message}\n\n- status ${status},`), code);
  }
});
