import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';

/** Who changed what through the admin API, without secrets: one row per write. */
export class AuditTable {
  readonly #database: DatabaseSync;
  readonly #wall: () => number;

  constructor(database: DatabaseSync, wall: () => number) {
    this.#database = database;
    this.#wall = wall;
  }

  /** Throws `StoreWriteError`. */
  record(action: string, subject: string, detail: Readonly<Record<string, unknown>> = {}): void {
    const statement = this.#database.prepare('INSERT INTO audit (at, action, subject, detail) VALUES (?, ?, ?, ?)');
    transaction(this.#database, () => statement.run(this.#wall(), action, subject, JSON.stringify(detail)));
  }
}
