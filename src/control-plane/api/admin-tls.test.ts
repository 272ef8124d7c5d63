import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { startTestControlPlane } from '../../../test/support/control-plane.ts';
import { temporaryDirectory, testSettings } from '../../../test/support/settings.ts';

const directory = temporaryDirectory();
const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
const name = ['-addext', 'subjectAltName=DNS:localhost'];
const made = spawnSync('openssl', [...request.split(' '), ...name, '-keyout', files.key, '-out', files.cert]);
const skip = made.status === 0 ? false : 'openssl is not here to make a certificate';

test('with a certificate the admin API answers over TLS', { skip }, async () => {
  await using plane = await startTestControlPlane(testSettings({ admin: { tls: files } }));
  const { protocol, port } = new URL(plane.adminUrl);
  assert.equal(protocol, 'https:');
  const ca = readFileSync(files.cert);
  const socket = connect({ host: '127.0.0.1', port: Number(port), servername: 'localhost', ca });
  socket.setEncoding('utf8');
  await once(socket, 'secureConnect');
  socket.write(
    'GET /api/nodes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer test-token\r\nconnection: close\r\n\r\n',
  );
  const answer = (await socket.toArray()).join('');
  assert.match(answer, /^HTTP\/1\.1 200 [^]*\{"data":\[\]\}/);
});

test('a key that is none is refused at the start with what to do', { skip }, async () => {
  const wrong = testSettings({ admin: { tls: { cert: files.cert, key: files.cert } } });
  await assert.rejects(startTestControlPlane(wrong), /admin\.tls\.key \(.*cert\.pem\) is not a private key .*PEM/);
});
