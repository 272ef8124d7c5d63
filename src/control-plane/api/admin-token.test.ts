import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/settings.ts';
import { adminToken, tokenCheck } from './admin-token.ts';

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

function tokenFile(content: string | Buffer, mode: number): { readonly dataDir: string; readonly file: string } {
  const dataDir = temporaryDirectory();
  const file = join(dataDir, 'admin-token');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return { dataDir, file };
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

test('a token is made once and kept for its owner alone', () => {
  const dataDir = temporaryDirectory();
  const made = adminToken(null, dataDir);
  assert.equal(made.isNew, true);
  assert.match(made.token, /^[\w-]{43}$/);
  assert.equal(modeOf(join(dataDir, 'admin-token')), 0o600);
  assert.deepEqual(adminToken(null, dataDir), { token: made.token, isNew: false });
  assert.deepEqual(adminToken('configured', dataDir), { token: 'configured', isNew: false });
});

test('a token file that others may read is closed to them, and an empty one is given a token', () => {
  for (const content of ['', ' \n\t\n'.repeat(50), 'kept-token\n']) {
    const { dataDir, file } = tokenFile(content, 0o644);
    const { token, isNew } = adminToken(null, dataDir);
    assert.deepEqual([modeOf(file), isNew], [0o600, !content.includes('kept')]);
    assert.equal(readFileSync(file, 'utf8'), `${token}\n`);
  }
});

test('a token file whose content no header can carry is refused with what to do, and left as it is', () => {
  const garbage = [
    randomBytes(5000),
    Buffer.from([0x41, 0x00, 0x42]),
    'two words',
    'two\nlines',
    'tökèn',
    'x'.repeat(5000),
  ];
  for (const content of garbage) {
    const { dataDir, file } = tokenFile(content, 0o600);
    assert.throws(() => adminToken(null, dataDir), {
      name: 'UnusableToken',
      message: /admin-token holds no usable admin token.*Remove the file.*WEIR_ADMIN_TOKEN/,
    });
    assert.deepEqual(readFileSync(file), Buffer.from(content));
  }
});
