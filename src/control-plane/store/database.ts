import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { initial } from './schema/001-initial.ts';
import { leanHistory } from './schema/002-lean-history.ts';
import { urgencyOfKeys } from './schema/003-urgency-of-keys.ts';
import { tasks } from './schema/004-tasks.ts';
import { attemptModels } from './schema/005-attempt-models.ts';
import { agents } from './schema/006-agents.ts';
import { rightsOfKeys } from './schema/007-rights-of-keys.ts';

// The router's one database file. WAL with synchronous=NORMAL: a crash of the process loses nothing that was committed,
// a crash of the machine may lose the last moments and corrupts nothing. Calls are synchronous and block this thread
// only; the data plane never waits for it.
//
// Migrations are numbered and only ever added; `user_version` says how far a file has come.

const migrations: readonly string[] = [initial, leanHistory, urgencyOfKeys, tasks, attemptModels, agents, rightsOfKeys];

/** Short: another process that holds the file (a backup, an open shell) must not stop the control plane for long. */
const BUSY_TIMEOUT_MS = 250;

/** The database cannot be used at all; the message says what to do. */
export class UnusableDatabase extends Error {
  override readonly name = 'UnusableDatabase';
}

/** A write failed (disk full, file locked or read-only); nothing of it was kept. */
export class StoreWriteError extends Error {
  override readonly name = 'StoreWriteError';
  /** True where another program holds the file: the same write may succeed in a moment. */
  readonly isLocked: boolean;

  constructor(cause: Error) {
    super(cause.message, { cause });
    // SQLITE_BUSY and SQLITE_LOCKED, with or without an extended code in the upper bits.
    const code = 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & 0xff : 0;
    this.isLocked = code === 5 || code === 6;
  }
}

/** Opens `dataDir/weir.db` and brings its schema up to date. Throws `UnusableDatabase`. */
export function openDatabase(dataDir: string): DatabaseSync {
  const file = join(dataDir, 'weir.db');
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
    migrate(database, file);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof UnusableDatabase || !(error instanceof Error)) throw error;
    throw new UnusableDatabase(
      `The database ${file} cannot be used: ${error.message}. Check that the disk is not full and the file is ours to ` +
        'write; if the file is damaged, move it away and start again (API nodes, keys and history are in it), or set another dataDir.',
      { cause: error },
    );
  }
}

/** Runs `work` in one transaction. Throws `StoreWriteError` where SQLite refuses, after undoing all of it. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE');
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (!isSqliteError(error)) throw error;
    throw new StoreWriteError(error);
  }
}

function migrate(database: DatabaseSync, file: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length) {
    throw new UnusableDatabase(
      `The database ${file} was written by a newer weir (schema ${version}, this one knows ${migrations.length}). ` +
        'Start the newer version, or set another dataDir.',
    );
  }
  for (const [step, sql] of migrations.entries()) {
    if (step < version) continue;
    transaction(database, () => {
      database.exec(sql);
      database.exec(`PRAGMA user_version = ${step + 1}`);
    });
  }
}

function isSqliteError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}
