import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { temporaryDirectory } from '../support/settings.ts';
import { startWeir, type Weir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

const directory = temporaryDirectory();
const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };

/** Puts a certificate for that name, with its key, in place of the one there is. */
function renew(name: string): boolean {
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const out = ['-subj', `/CN=${name}`, '-keyout', `${files.key}.new`, '-out', `${files.cert}.new`];
  const made = spawnSync('openssl', [...request.split(' '), ...out]).status === 0;
  for (const file of made ? [files.key, files.cert] : []) renameSync(`${file}.new`, file);
  return made;
}

async function shownAt(url: string): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

const skip = renew('one') ? false : 'openssl is not here to make a certificate';

for (const threads of process.platform === 'linux' ? [1, 2] : [1]) {
  test(`a renewed certificate is shown without a restart (threads: ${threads})`, { skip }, async () => {
    renew('one');
    const weir: Weir = await startWeir({ tls: files, threads }, { until: 'listening' });
    assert.equal(await shownAt(weir.url), 'one');
    // A certificate without its key: what is there goes on being shown.
    writeFileSync(files.cert, 'nothing');
    await until(() => weir.output().includes('the settings stay as they were'), {
      what: 'the broken certificate to be told',
      withinMs: 15_000,
    });
    assert.equal(await shownAt(weir.url), 'one');
    renew('two');
    await until(async () => (await shownAt(weir.url)) === 'two', { what: 'the new certificate', withinMs: 15_000 });
    if (threads > 1) {
      const shown = await Promise.all(Array.from({ length: 12 }, () => shownAt(weir.url)));
      assert.deepEqual([...new Set(shown)], ['two']);
    }
    assert.equal(await weir.stop(), 0);
  });
}
