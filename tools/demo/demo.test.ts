import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const DEMO = fileURLToPath(new URL('demo.ts', import.meta.url));

test('the demonstration ends with books that add up and a router at rest', () => {
  const flags = ['--seconds', '4', '--clients', '50', '--simulated'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [DEMO, ...flags], {
    encoding: 'utf8',
    timeout: 90_000,
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^Nodes: 3 simulated engines \(as asked for by --simulated\)\.$/m);
  const [, sent, served, refused, timedOut, failed, gone] = (
    /^sent (\d+) = served (\d+) \+ refused (\d+) \+ timed out (\d+) \+ failed (\d+) \+ gone (\d+)$/m.exec(stdout) ?? []
  ).map(Number);
  assert.ok(sent !== undefined && served !== undefined && refused !== undefined, stdout);
  assert.ok(served > 0 && refused > 0, stdout);
  assert.equal(sent, served + refused + (timedOut ?? NaN) + (gone ?? NaN), stdout);
  assert.equal(failed, 0, stdout);
  assert.match(stdout, /^Every gauge of the router is back at 0\.$/m);
});

test('an interrupted demonstration stops what it started', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [DEMO, '--simulated'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of child.stdout) {
    const before = printed;
    printed += String(chunk);
    if (/clients \d/.test(printed) && !/clients \d/.test(before)) child.kill('SIGINT');
  }
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  assert.equal(code, 130);
  assert.match(printed, /Interrupted/);
});

test('a wrong flag is one sentence', () => {
  const { status, stderr } = spawnSync(process.execPath, [DEMO, '--seconds', 'long'], { encoding: 'utf8' });
  assert.equal(stderr, 'demo: --seconds long: write a whole number of at least 2\n');
  assert.equal(status, 1);
});
