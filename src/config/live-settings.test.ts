import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/support/load-config.ts';
import type { SettingsReport } from '../fleet/settings-report.ts';
import { LiveSettings } from './live-settings.ts';
import { loadSettings, type SettingsRequest } from './load-settings.ts';

interface Stage {
  readonly live: LiveSettings;
  readonly taken: readonly SettingsReport[];
  write(yaml: string): void;
  remove(): void;
  /** What speaks against the next ones. */
  objections: readonly string[];
}

async function running(context: TestContext, yaml: string, more: Partial<SettingsRequest> = {}): Promise<Stage> {
  const cwd = temporaryDirectory(context);
  const file = join(cwd, 'weir.yaml');
  writeFileSync(file, yaml);
  const env = { HOME: '/home/tester' };
  const request = { configFile: null, flags: new Map<string, string>(), nodes: [], env, cwd, now: 0, ...more };
  const loaded = await loadSettings(request);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  const live = new LiveSettings(request, loaded, () => 5);
  const taken: SettingsReport[] = [];
  const stage: Stage = {
    live,
    taken,
    write: (text) => writeFileSync(file, text),
    remove: () => rmSync(file),
    objections: [],
  };
  live.connect((report) => {
    if (report.lastChange?.problems.length === 0) {
      if (stage.objections.length > 0) return Promise.resolve(stage.objections);
      taken.push(report);
    }
    return Promise.resolve([]);
  });
  return stage;
}

function withSecret(secret: string): string {
  return `nodes: [{ name: a, url: "http://a:1", apiKey: ${secret} }]\nauth: { keys: [{ label: t, key: sk-${secret}-0123456789 }] }`;
}

test('a file that is gone is a mistake, not a wish for defaults', async (context) => {
  const stage = await running(context, 'nodes: [{ name: a, url: "http://a:1" }]');
  stage.remove();
  const { problems } = await stage.live.reload('file');
  assert.match(String(problems), /there is no such file/);
  assert.equal(stage.taken.length, 0);
  assert.equal(stage.live.report.settings.nodes.length, 1);
});

test('a flag goes before the file, and what is set through the API before both', async (context) => {
  const stage = await running(context, 'queue: { maxWaiters: 1 }', { flags: new Map([['queue.maxWaiters', '2']]) });
  const entry = (): unknown[] => {
    const found = stage.live.report.entries.find(({ path }) => path === 'queue.maxWaiters');
    return [found?.value, found?.source];
  };
  assert.deepEqual(entry(), ['2', 'flag']);
  assert.deepEqual(await stage.live.override({ 'queue.maxWaiters': '3' }, false), []);
  assert.deepEqual(entry(), ['2', 'flag']);
  assert.deepEqual(await stage.live.override({ 'queue.maxWaiters': '3' }, true), []);
  assert.deepEqual(entry(), ['3', 'api']);
  stage.write('queue: { maxWaiters: 9 }');
  await stage.live.reload('file');
  assert.deepEqual(entry(), ['3', 'api']);
  assert.deepEqual(await stage.live.override({}, true), []);
  assert.deepEqual(entry(), ['2', 'flag']);
});

test('what is safe only after a restart is refused until then', async (context) => {
  const stage = await running(context, 'listen: 0.0.0.0:9347');
  stage.write('listen: 127.0.0.1:9347\nauth: { clients: off }');
  const { problems } = await stage.live.reload('file');
  assert.match(String(problems), /auth\.clients: off, while listen is 0\.0\.0\.0:9347.*restart instead/);
  assert.equal(stage.live.report.settings.auth.clients, 'auto');
});

test('what waits for a restart waits, goes on waiting, and waits no more when it is taken back', async (context) => {
  const stage = await running(context, 'listen: 127.0.0.1:9347');
  const waiting = (): unknown => stage.live.report.entries.find(({ path }) => path === 'listen');
  stage.write('listen: 127.0.0.1:1\nlimits: { body: 2kb }');
  assert.deepEqual((await stage.live.reload('file')).changed, ['limits.body']);
  const listen = { path: 'listen', value: '127.0.0.1:9347', source: 'file:1' };
  assert.deepEqual(waiting(), { ...listen, afterRestart: '127.0.0.1:1' });
  assert.equal(stage.live.report.settings.listen.port, 9347);
  await stage.live.reload('signal');
  assert.deepEqual(waiting(), { ...listen, afterRestart: '127.0.0.1:1' });
  stage.write('listen: 127.0.0.1:9347');
  await stage.live.reload('file');
  assert.deepEqual(waiting(), { ...listen, afterRestart: null });
});

test('what is not shown is told as changed all the same: keys of nodes and of clients', async (context) => {
  const stage = await running(context, withSecret('one'));
  stage.write(withSecret('two'));
  assert.deepEqual((await stage.live.reload('file')).changed.toSorted(), ['auth.keys.t', 'nodes.a']);
  assert.ok(!JSON.stringify(stage.live.report.entries).includes('two'));
});

test('what the control plane objects to is not in force, and is told', async (context) => {
  const stage = await running(context, '');
  stage.objections = ['the name a is taken'];
  stage.write('limits: { body: 2kb }');
  assert.deepEqual((await stage.live.reload('file')).problems, ['the name a is taken']);
  assert.deepEqual(stage.live.report.lastChange?.problems, ['the name a is taken']);
  assert.equal(stage.live.report.settings.limits.bodyBytes, 32 * 1024 ** 2);
});
