import type { DatabaseSync } from 'node:sqlite';
import { priorities } from '../../fleet/glossary.ts';
import type { KeySettings } from '../../fleet/settings.ts';
import { transaction } from './database.ts';

export interface StoredKey extends KeySettings {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** Client keys made through the API, by their hashes. */
export class KeysTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all(): readonly StoredKey[] {
    return this.#database
      .prepare('SELECT * FROM keys ORDER BY created_at, id')
      .all()
      .map((row) => ({
        id: String(row['id']),
        hash: String(row['hash']),
        label: String(row['label']),
        expiresAt: numberOrNull(row['expires_at']),
        models: typeof row['models'] === 'string' ? JSON.parse(row['models']) : null,
        weight: Number(row['weight']),
        maxConcurrent: numberOrNull(row['max_concurrent']),
        ratePerMinute: numberOrNull(row['rate_per_minute']),
        maxPriority: priorities.find((each) => each === row['max_priority']) ?? 'normal',
        maxDeadlineMs: numberOrNull(row['max_deadline_ms']),
        mayManage: row['may_manage'] === 1,
        resume: row['resume'] === 1,
        createdAt: Number(row['created_at']),
      }));
  }

  /** Throws `StoreWriteError`. */
  add(key: StoredKey): void {
    const sql = `INSERT INTO keys (id, hash, label, expires_at, models, weight, max_concurrent, rate_per_minute,
      max_priority, max_deadline_ms, may_manage, resume, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { id, hash, label, expiresAt, models, weight, maxConcurrent, ratePerMinute, createdAt } = key;
    const { maxPriority, maxDeadlineMs, mayManage, resume } = key;
    const limits = [maxConcurrent, ratePerMinute, maxPriority, maxDeadlineMs, Number(mayManage), Number(resume)];
    const written = models === null ? null : JSON.stringify(models);
    transaction(this.#database, () =>
      this.#database.prepare(sql).run(id, hash, label, expiresAt, written, weight, ...limits, createdAt),
    );
  }

  /** Throws `StoreWriteError`. */
  remove(id: string): void {
    transaction(this.#database, () => this.#database.prepare('DELETE FROM keys WHERE id = ?').run(id));
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
