import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startApp } from '../../src/app-state.ts';
import { LiveSettings } from '../../src/config/live-settings.ts';
import { loadSettings } from '../../src/config/load-settings.ts';
import { at, listAt } from '../support/json-path.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { until } from '../support/until.ts';

test('a control plane that was started anew goes by what the file and the admin API said meanwhile', async (context) => {
  await using node = await scriptedNode();
  const cwd = mkdtempSync(join(tmpdir(), 'weir-test-'));
  context.after(() => rmSync(cwd, { recursive: true, force: true }));
  const write = (body: string): void => {
    const listen = '127.0.0.1:0';
    const nodes = [{ name: 'n', url: node.url }];
    const whole = { listen, admin: { listen, token: 'test-token' }, discovery: { enabled: false }, dataDir: cwd };
    writeFileSync(
      join(cwd, 'weir.yaml'),
      JSON.stringify({ ...whole, log: { level: 'silent' }, nodes, limits: { body } }),
    );
  };
  write('1mb');
  const request = { configFile: null, flags: new Map<string, string>(), nodes: [], env: {}, cwd, now: 0 };
  const loaded = await loadSettings(request);
  assert.ok('settings' in loaded);
  const source = new LiveSettings(request, loaded, () => 1);
  let adminUrl = '';
  const hooks = {
    source,
    settled: () => undefined,
    listening: (urls: { adminUrl: string }) => void ({ adminUrl } = urls),
  };
  const app = await startApp(loaded.settings, hooks);
  const admin = (init: RequestInit = {}): Promise<Response> =>
    fetch(`${adminUrl}/api/settings`, { ...init, headers: { authorization: 'Bearer test-token' } });
  assert.equal((await admin({ method: 'PUT', body: '{"queue":{"maxWaiters":9}}' })).status, 200);
  write('2mb');
  await source.reload('signal');

  await app.controlPlane.crash();
  const after = await until(
    async () =>
      admin().then(
        (answer) => answer.json(),
        () => null,
      ),
    {
      what: 'the admin API',
      withinMs: 10_000,
    },
  );
  assert.deepEqual([at(after, 'queue', 'maxWaiters'), at(after, 'limits', 'bodyBytes')], [9, 2 * 1024 ** 2]);
  assert.equal(listAt(after, 'sources').filter((each) => at(each, 'source') === 'api').length, 1);
  assert.equal(app.dataPlane.settings.queue.maxWaiters, 9);
  await app.stop();
});
