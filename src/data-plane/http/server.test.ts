import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory, testSettings } from '../../../test/support/settings.ts';
import { listenForClients } from './server.ts';

test('a certificate that is none is refused with the name of its setting and file', async () => {
  const cert = join(temporaryDirectory(), 'cert.pem');
  writeFileSync(cert, 'no PEM');
  await assert.rejects(
    listenForClients(testSettings({ tls: { cert, key: cert } }), () => undefined),
    {
      name: 'UnusableTls',
      message: /^tls\.cert \(.*cert\.pem\) is not a certificate/,
    },
  );
  const gone = join(temporaryDirectory(), 'gone.pem');
  await assert.rejects(
    listenForClients(testSettings({ tls: { cert, key: gone } }), () => undefined),
    {
      message: /^tls\.key cannot be read: .*gone\.pem/,
    },
  );
});
