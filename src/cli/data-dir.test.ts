import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryDirectory } from '../../test/support/load-config.ts';
import { DataDirError, keptAdminUrl, lockDataDir } from './data-dir.ts';

const holder = `
import { lockDataDir } from ${JSON.stringify(new URL('data-dir.ts', import.meta.url).href)};
const lock = lockDataDir(process.argv[1]);
process.stdout.write('locked');
// What nothing refers to is collected, and its lock with it.
setInterval(() => lock, 60_000);
`;

/** A process that holds the lock until it is killed. */
async function holdLock(context: TestContext, directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', holder, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  const [text] = await once(child.stdout, 'data');
  assert.equal(String(text), 'locked');
  return child;
}

test('a second process is told who holds the directory and what to do', async (t) => {
  const directory = join(temporaryDirectory(t), 'weir');
  const child = await holdLock(t, directory);
  assert.throws(() => lockDataDir(directory), {
    name: 'DataDirError',
    message: `another weir (pid ${child.pid}) uses ${directory}; stop it or start this one with --data-dir OTHER`,
  });
});

test('the lock is free again after a SIGKILL', async (t) => {
  const directory = join(temporaryDirectory(t), 'weir');
  const child = await holdLock(t, directory);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(existsSync(join(directory, 'weir.pid')), true);
  lockDataDir(directory).release();
});

test('two routers of one process exclude each other, and a released lock can be taken again', (t) => {
  const directory = temporaryDirectory(t);
  const first = lockDataDir(directory);
  assert.equal(readFileSync(join(directory, 'weir.pid'), 'utf8').trim(), String(process.pid));
  assert.throws(() => lockDataDir(directory), DataDirError);
  first.release();
  assert.equal(existsSync(join(directory, 'weir.pid')), false);
  const second = lockDataDir(directory);
  // A late second release must not take the lock from its next owner.
  first.release();
  assert.equal(existsSync(join(directory, 'weir.pid')), true);
  assert.throws(() => lockDataDir(directory), DataDirError);
  second.release();
});

test('the directory is made for its owner alone, and one open to others is closed', (t) => {
  const parent = temporaryDirectory(t);
  const fresh = lockDataDir(join(parent, 'deep', 'weir'));
  assert.equal(fresh.wasTightened, false);
  assert.equal(statSync(join(parent, 'deep', 'weir')).mode & 0o777, 0o700);
  fresh.release();

  const open = join(parent, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  const lock = lockDataDir(open);
  assert.equal(lock.wasTightened, true);
  assert.equal(statSync(open).mode & 0o777, 0o700);
  lock.release();
});

test('a directory that everybody uses is refused and left as it is', (t) => {
  const shared = join(temporaryDirectory(t), 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  assert.throws(() => lockDataDir(shared), {
    name: 'DataDirError',
    message: /is used by others too; name a directory of its own/,
  });
  assert.equal(statSync(shared).mode & 0o7777, 0o1777);
});

test('a path that cannot be a directory is refused with a reason', (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'below')]) {
    assert.throws(() => lockDataDir(path), {
      name: 'DataDirError',
      message: /cannot be used: .*not a directory; name another one with --data-dir$/,
    });
  }
});

test('a path where the system makes no directories is refused, not tried for ever', { timeout: 20_000 }, (t) => {
  const link = join(temporaryDirectory(t), 'link');
  symlinkSync(join(link, '..', 'no-such-target'), link);
  const paths = existsSync('/proc/self') ? ['/proc/no-such-directory', '/proc/no/such/directory', link] : [link];
  for (const path of paths) {
    assert.throws(() => lockDataDir(path), {
      name: 'DataDirError',
      message: `the data directory ${path} cannot be used: no directory can be made there; name another one with --data-dir`,
    });
  }
});

test('a lock file that is no database is refused with a reason', (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'lock.db'), 'not a database, but long enough to be looked at'.repeat(40));
  assert.throws(() => lockDataDir(directory), { name: 'DataDirError', message: /file is not a database/ });
});

test('the address for administrators is kept for the command line until the lock goes, and is never a reason to fail', (t) => {
  const directory = join(temporaryDirectory(t), 'weir');
  assert.equal(keptAdminUrl(directory), null);
  const lock = lockDataDir(directory);
  lock.keepAdminUrl('http://127.0.0.1:4711');
  assert.equal(keptAdminUrl(directory), 'http://127.0.0.1:4711');
  assert.equal(statSync(join(directory, 'admin-url')).mode & 0o777, 0o600);
  lock.release();
  assert.equal(keptAdminUrl(directory), null);
  const again = lockDataDir(directory);
  mkdirSync(join(directory, 'admin-url'));
  again.keepAdminUrl('http://127.0.0.1:4711');
  assert.equal(keptAdminUrl(directory), null);
  rmSync(join(directory, 'admin-url'), { recursive: true });
  again.release();
});
