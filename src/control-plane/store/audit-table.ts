import type { DatabaseSync } from 'node:sqlite';
import { StoreWriteError, transaction } from './database.ts';

export interface AuditFilter {
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  /** Epoch ms, inclusive. */
  readonly since?: number | undefined;
  /** Epoch ms, exclusive. */
  readonly until?: number | undefined;
  /** The last id of the page before. */
  readonly cursor?: number | undefined;
  readonly limit: number;
}

export interface AuditPage {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor: string | null;
}

const conditions = {
  action: 'action = ?',
  subject: 'subject = ?',
  since: 'at >= ?',
  until: 'at < ?',
  cursor: 'id < ?',
} as const;

/** What was changed through the admin API or by a changed configuration, without secrets: one row per write. */
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

  /** As `record`, where the change has been made already and stays; `onLost` is told why its row could not be written. */
  recordIfPossible(
    action: string,
    subject: string,
    detail: Readonly<Record<string, unknown>>,
    onLost: (reason: string) => void,
  ): void {
    try {
      this.record(action, subject, detail);
    } catch (error) {
      if (!(error instanceof StoreWriteError)) throw error;
      onLost(error.message);
    }
  }

  /** Newest first, page by page along the ids. */
  list(filter: AuditFilter): AuditPage {
    const given = Object.entries(conditions).flatMap(([name, sql]) => {
      const value: unknown = Reflect.get(filter, name);
      return typeof value === 'string' || typeof value === 'number' ? [{ sql, value }] : [];
    });
    const where = given.length === 0 ? '' : `WHERE ${given.map(({ sql }) => sql).join(' AND ')}`;
    const rows = this.#database
      .prepare(`SELECT id, at, action, subject, detail FROM audit ${where} ORDER BY id DESC LIMIT ?`)
      .all(...given.map(({ value }) => value), filter.limit + 1);
    const page = rows.slice(0, filter.limit);
    const data = page.map((row) => ({ ...row, detail: JSON.parse(String(row['detail'])) as unknown }));
    return { data, nextCursor: rows.length > page.length ? String(page.at(-1)?.['id']) : null };
  }
}
