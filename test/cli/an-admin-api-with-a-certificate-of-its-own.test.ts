import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startRouter } from '../support/start-router.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { weirCommand } from '../support/weir-command.ts';

const fixtures = resolve(import.meta.dirname, '../fixtures/tls');
const tls = { cert: join(fixtures, 'cert.pem'), key: join(fixtures, 'key.pem') };

test('it is refused until --ca names who signed it, or the configuration here does', async () => {
  await using router = await startRouter({ admin: { tls } });
  const named = ['nodes', 'list', '--json', '--token', 'test-token', '--admin', router.adminUrl];
  const unknown = await weirCommand(named);
  assert.deepEqual([unknown.code, unknown.stdout], [3, '']);
  assert.match(unknown.stderr, /certificate.*--ca FILE/);
  const trusted = await weirCommand([...named, '--ca', tls.cert]);
  assert.equal(trusted.code, 0, trusted.stderr);
  assert.deepEqual(trusted.json(), { data: [] });
  assert.equal((await weirCommand([...named, '--ca', '/no/such/file'])).code, 2);

  const file = join(temporaryDirectory(), 'weir.yaml');
  writeFileSync(file, JSON.stringify({ admin: { listen: new URL(router.adminUrl).host, tls } }));
  const here = await weirCommand(['nodes', 'list', '--config', file], { env: { WEIR_ADMIN_TOKEN: 'test-token' } });
  assert.equal(here.code, 0, here.stderr);
});
