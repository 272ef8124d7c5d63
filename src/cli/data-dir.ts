import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isNodeError } from '../config/values/node-error.ts';

// One process per data directory. A pid file alone goes stale after a SIGKILL and its pid may by then belong to
// somebody else, so the lock is one that the operating system drops with the process: SQLite's exclusive file lock on
// an empty database of its own. The pid beside it is only for the message. Node has no flock, and a native module for
// it would need a compiler. Network file systems that fake locks are not protected.

/** The directory cannot be used; the message says why and what to do. */
export class DataDirError extends Error {
  override readonly name = 'DataDirError';
}

export interface DataDirLock {
  /** True where the directory was open to other users and has been closed to them. */
  readonly wasTightened: boolean;
  /** Leaves the address where the router listens for administrators, for `keptAdminUrl`. */
  keepAdminUrl(url: string): void;
  release(): void;
}

const ADMIN_URL = 'admin-url';

/** Makes `dir` (mode 0700) where needed and locks it for this process until `release` or its end. Throws DataDirError. */
export function lockDataDir(dir: string): DataDirLock {
  const wasTightened = prepare(dir);
  const pidFile = join(dir, 'weir.pid');
  const lock = takeLock(dir, pidFile);
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw unusable(dir, error);
  }
  let isHeld = true;
  return {
    wasTightened,
    keepAdminUrl: (url) => {
      try {
        writeFileSync(join(dir, ADMIN_URL), `${url}\n`, { mode: 0o600 });
      } catch {
        // A full disk is no reason not to serve: without the file the command line asks at the configured address.
      }
    },
    release: () => {
      if (!isHeld) return;
      isHeld = false;
      rmSync(join(dir, ADMIN_URL), { force: true });
      // The pid goes first: once the lock is free, another process may have written its own.
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

/** Where the router that uses `dir` listens for administrators; null where none said so. One that was killed may have left its own. */
export function keptAdminUrl(dir: string): string | null {
  try {
    const written = readFileSync(join(dir, ADMIN_URL), 'utf8').trim();
    return URL.parse(written)?.origin ?? null;
  } catch {
    return null;
  }
}

function prepare(dir: string): boolean {
  try {
    makeDirectory(dir);
    const status = statSync(dir);
    if ((status.mode & 0o077) === 0) return false;
    if (isShared(dir, status.mode)) {
      throw new DataDirError(`${dir} is used by others too; name a directory of its own with --data-dir`);
    }
    chmodSync(dir, 0o700);
    return true;
  } catch (error) {
    throw error instanceof DataDirError ? error : unusable(dir, error);
  }
}

/**
 * Makes `dir` and what of its parents is missing, one step per part of the path. Node's own recursive way tries for ever where the
 * parent is there and the system says ENOENT all the same, as below /proc.
 */
function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    const code = isNodeError(error) ? error.code : '';
    if (code === 'EEXIST' && statSync(dir).isDirectory()) return;
    const parent = dirname(dir);
    if (code !== 'ENOENT' || parent === dir) throw error;
    makeDirectory(parent);
    mkdirSync(dir, { mode: 0o700 });
  }
}

/** Directories that must not be closed to others: the root, anybody's like /tmp (sticky), a home directory. */
function isShared(dir: string, mode: number): boolean {
  return dir === '/' || dir === homedir() || (mode & 0o1000) !== 0;
}

function takeLock(dir: string, pidFile: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(join(dir, 'lock.db'), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (!isBusy(error)) throw unusable(dir, error);
    const pid = readPid(pidFile);
    const who = pid === null ? 'another weir' : `another weir (pid ${pid})`;
    throw new DataDirError(`${who} uses ${dir}; stop it or start this one with --data-dir OTHER`);
  }
}

/** SQLITE_BUSY, with or without an extended code in its upper bits. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5
  );
}

function readPid(pidFile: string): string | null {
  try {
    return /^\d+/.exec(readFileSync(pidFile, 'utf8'))?.[0] ?? null;
  } catch {
    return null;
  }
}

function unusable(dir: string, error: unknown): DataDirError {
  const reasons: Record<string, string> = {
    EACCES: 'this user may not write there',
    EPERM: 'it belongs to another user',
    EROFS: 'the file system is read-only',
    ENOENT: 'no directory can be made there',
    ENOSPC: 'the disk is full',
    EEXIST: 'it is a file, not a directory',
    ENOTDIR: 'a part of the path is a file, not a directory',
  };
  const code = isNodeError(error) ? error.code : '';
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new DataDirError(`the data directory ${dir} cannot be used: ${reason}; name another one with --data-dir`);
}
