import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWeir } from '../support/start-weir.ts';

test('a second router on the same data directory is told who uses it, and the first goes on', async () => {
  const first = await startWeir();
  try {
    const settings: unknown = await (await first.admin('/api/settings')).json();
    const dataDir = /"dataDir":"([^"]+)"/.exec(JSON.stringify(settings))?.[1] ?? '';
    assert.notEqual(dataDir, '');
    const message = `another weir (pid ${first.process.pid}) uses ${dataDir}; stop it or start this one with --data-dir OTHER`;
    await assert.rejects(startWeir({ dataDir }), (error: Error) => {
      assert.ok(error.message.includes(message), error.message);
      assert.doesNotMatch(error.message, /\n {4}at /);
      return true;
    });
    assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
  } finally {
    await first.stop();
  }
});

test('the data directory of a killed router can be used at once', async () => {
  const first = await startWeir();
  const settings: unknown = await (await first.admin('/api/settings')).json();
  const dataDir = /"dataDir":"([^"]+)"/.exec(JSON.stringify(settings))?.[1] ?? '';
  first.kill('SIGKILL');
  await new Promise((ended) => first.process.once('exit', ended));
  const second = await startWeir({ dataDir });
  assert.equal(await second.stop(), 0);
});
