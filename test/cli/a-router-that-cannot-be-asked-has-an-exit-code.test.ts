import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { startRouter } from '../support/start-router.ts';
import { startWeir } from '../support/start-weir.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { weirCommand } from '../support/weir-command.ts';

test('no router: exit code 3, and how to start or name one', async () => {
  const gone = await scriptedNode();
  await gone.close();
  const ended = await weirCommand(['nodes', 'list', '--admin', gone.url, '--token', 'x']);
  assert.deepEqual([ended.code, ended.stdout], [3, '']);
  assert.match(ended.stderr, /No router answers at http:.*ECONNREFUSED.*weir serve.*--admin URL/);
});

test('something else there: exit code 3, and which address is meant', async () => {
  await using router = await startRouter();
  const ended = await weirCommand(['nodes', 'list', '--admin', router.url, '--token', 'x']);
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /not as the admin API.*9348/);
});

test('a wrong token or none: exit code 4, and where to set it', async () => {
  await using router = await startRouter();
  const wrong = await weirCommand(['nodes', 'list', '--admin', router.adminUrl, '--token', 'wrong']);
  assert.deepEqual([wrong.code, wrong.stdout], [4, '']);
  assert.match(wrong.stderr, /does not know this admin token.*WEIR_ADMIN_TOKEN/);
  const none = await weirCommand(['nodes', 'list', '--admin', router.adminUrl]);
  assert.equal(none.code, 4);
  assert.match(none.stderr, /No admin token was found \(.*admin-token\)/);
});

test('a router on any port is found, with its token, by its data directory', async () => {
  const dataDir = temporaryDirectory();
  const weir = await startWeir({ dataDir }, { env: { WEIR_ADMIN_TOKEN: '' } });
  try {
    const found = await weirCommand(['nodes', 'list', '--json'], { env: { WEIR_DATA_DIR: dataDir } });
    assert.equal(found.code, 0, found.stderr);
    assert.deepEqual(found.json(), { data: [] });
    rmSync(join(dataDir, 'admin-token'));
    assert.equal((await weirCommand(['nodes', 'list', '--data-dir', dataDir])).code, 4);
  } finally {
    await weir.stop();
  }
  const after = await weirCommand(['nodes', 'list', '--data-dir', dataDir]);
  assert.equal(after.code, 3);
  assert.match(after.stderr, /127\.0\.0\.1:9348/, 'a stopped router leaves no address');
});

test('settings that are wrong are told, unless address and token are named', async () => {
  await using router = await startRouter();
  const env = { WEIR_QUEUE_TIMEOUT: 'soon' };
  const wrong = await weirCommand(['nodes', 'list'], { env });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /WEIR_QUEUE_TIMEOUT.*"soon"[^]*--admin URL/);
  const named = ['nodes', 'list', '--admin', router.adminUrl, '--token', 'test-token'];
  assert.equal((await weirCommand(named, { env })).code, 0);
});
