import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withCacheLock } from './cache-lock.ts';
import { chooseMirror } from './debian-packages.ts';

test('the mirror is the first source that is not the security one', () => {
  const targets =
    'bookworm-security http://one/security/\nbookworm http://two/debian/\nbookworm http://three/debian/\n';
  assert.equal(chooseMirror(targets), 'http://two/debian/');
});

test('a machine without a usable source has no mirror', () => {
  assert.equal(chooseMirror(''), null);
  assert.equal(chooseMirror('bookworm-security http://one/security/\n'), null);
});

test('two holders of the cache lock do not overlap', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'weir-lock-'));
  t.after(() => rm(dir, { recursive: true }));
  let inside = 0;
  const work = async (): Promise<void> => {
    assert.equal(++inside, 1);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  const path = join(dir, 'lock');
  await Promise.all([withCacheLock(path, 10_000, work), withCacheLock(path, 10_000, work)]);
});

test('the cache lock of a killed process is free at once', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'weir-lock-'));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, 'lock');
  const holder = join(dir, 'holder.mjs');
  const source = join(import.meta.dirname, 'cache-lock.ts');
  await writeFile(
    holder,
    `import { withCacheLock } from ${JSON.stringify(source)};
     // A channel that nobody listens to keeps no process alive.
     setInterval(() => {}, 1000);
     // A promise that nothing refers to is collected, and the lock with it.
     await withCacheLock(${JSON.stringify(path)}, 0, () => new Promise((resolve) => {
       globalThis.keep = resolve;
       process.send('held');
     }));`,
  );
  const child = fork(holder, { stdio: 'ignore' });
  await once(child, 'message');
  await assert.rejects(
    withCacheLock(path, 0, async () => {}),
    /another process has held/,
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await withCacheLock(path, 0, () => Promise.resolve('mine')), 'mine');
});
