import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

// One process at a time fills the cache. The lock is an exclusive SQLite transaction on a file that holds nothing:
// the operating system frees it when its owner dies, SIGKILL included, so there is no stale lock to judge and no pid
// to mistrust. It does not protect against a cache folder on a network file system that ignores locks.

const retryMs = 100;

function tryLock(path: string): DatabaseSync | null {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return null;
    throw error;
  }
}

/**
 * Runs `work` while no other process holds the lock `path` (a file, made with its folder if absent).
 * Rejects when the lock is not had within `patienceMs`, or with what `work` rejects with.
 */
export async function withCacheLock<T>(path: string, patienceMs: number, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    const lock = tryLock(path);
    if (lock) {
      try {
        return await work();
      } finally {
        lock.close();
      }
    }
    if (waitedMs >= patienceMs) {
      throw new Error(`another process has held ${path} for over ${patienceMs} ms; end it and try again`);
    }
    await delay(retryMs);
  }
}
