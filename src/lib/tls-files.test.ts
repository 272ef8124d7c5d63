import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/support/settings.ts';
import { readTlsFiles } from './tls-files.ts';

const directory = temporaryDirectory();

function pair(name: string) {
  const paths = { cert: join(directory, `${name}-cert.pem`), key: join(directory, `${name}-key.pem`) };
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const { status } = spawnSync('openssl', [...request.split(' '), '-keyout', paths.key, '-out', paths.cert]);
  return { ...paths, isMade: status === 0 };
}

const one = pair('one');
const other = pair('other');
const skip = one.isMade ? false : 'openssl is not here to make a certificate';

function refusal(setting: string, cert: string, key: string): string {
  try {
    readTlsFiles(setting, { cert, key });
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'UnusableTls');
    return error.message;
  }
  return 'not refused';
}

const begins = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[.()]/g, '\\$&')}`);

test('files that belong together are read, also from one file that holds both', { skip }, () => {
  assert.deepEqual(readTlsFiles('tls', one), { cert: readFileSync(one.cert), key: readFileSync(one.key) });
  for (const order of [
    [one.cert, one.key],
    [one.key, one.cert],
  ]) {
    const both = join(directory, 'both.pem');
    writeFileSync(both, order.map((file) => readFileSync(file, 'utf8')).join(''));
    readTlsFiles('tls', { cert: both, key: both });
  }
});

test('the setting and the file that are wrong are named', { skip }, () => {
  const garbage = join(directory, 'garbage.pem');
  writeFileSync(garbage, 'no PEM');
  assert.match(refusal('tls', one.key, one.cert), begins(`tls.cert (${one.key}) is not a certificate in PEM form: `));
  assert.match(refusal('admin.tls', one.cert, one.cert), begins(`admin.tls.key (${one.cert}) is not a private key`));
  assert.match(refusal('tls', garbage, one.key), begins(`tls.cert (${garbage}) is not a certificate`));
  assert.match(refusal('tls', one.cert, garbage), begins(`tls.key (${garbage}) is not a private key`));
  assert.match(refusal('tls', one.cert, directory), /^tls\.key cannot be read: EISDIR/);
  assert.match(refusal('tls', join(directory, 'none'), one.key), /^tls\.cert cannot be read: ENOENT.*none/);
  assert.match(
    refusal('admin.tls', one.cert, other.key),
    begins(`admin.tls.cert (${one.cert}) and admin.tls.key (${other.key}) cannot be used: they do not belong together`),
  );
});
