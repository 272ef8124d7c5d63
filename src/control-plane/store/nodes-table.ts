import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { NodeSettings } from '../../fleet/settings.ts';
import { StoreWriteError, transaction } from './database.ts';

// Nodes added through the API live here whole. Of nodes from the configuration and of discovered ones only the name, the
// id and whether they drain are kept, so that an id in the history means the same node after a restart.

export interface StoredNode {
  readonly id: string;
  readonly name: string;
  readonly managedBy: string;
  /** Null for nodes whose settings come from elsewhere. */
  readonly settings: NodeSettings | null;
  readonly draining: boolean;
}

export class NodesTable {
  readonly #database: DatabaseSync;
  readonly #wall: () => number;

  constructor(database: DatabaseSync, wall: () => number) {
    this.#database = database;
    this.#wall = wall;
  }

  all(): readonly StoredNode[] {
    const rows = this.#database.prepare('SELECT id, name, managed_by, settings, draining FROM nodes').all();
    return rows.map((row) => ({
      id: String(row['id']),
      name: String(row['name']),
      managedBy: String(row['managed_by']),
      settings: typeof row['settings'] === 'string' ? JSON.parse(row['settings']) : null,
      draining: row['draining'] === 1,
    }));
  }

  /**
   * Keeps a node under its name and returns its id, the former one where the name is known. Throws `StoreWriteError`.
   * `settings` null: they come from the configuration or from discovery.
   */
  put(name: string, managedBy: string, settings: NodeSettings | null): string {
    const sql = `INSERT INTO nodes (id, name, managed_by, settings, created_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET managed_by = excluded.managed_by, settings = excluded.settings,
        draining = CASE WHEN excluded.settings IS NULL THEN draining ELSE 0 END
      RETURNING id`;
    const written = settings === null ? null : JSON.stringify(settings);
    return transaction(this.#database, () =>
      String(this.#database.prepare(sql).get(randomUUID(), name, managedBy, written, this.#wall())?.['id']),
    );
  }

  /** As `put`, for nodes that must be served whether or not the disk is full: then they get an id for this run only. */
  idOf(name: string, managedBy: string): string {
    try {
      return this.put(name, managedBy, null);
    } catch (error) {
      if (!(error instanceof StoreWriteError)) throw error;
      return randomUUID();
    }
  }

  /** A new name may be one that a node of the configuration had once. Throws `StoreWriteError`. */
  change(id: string, settings: NodeSettings): void {
    const forget = this.#database.prepare('DELETE FROM nodes WHERE name = ? AND id <> ?');
    const update = this.#database.prepare('UPDATE nodes SET name = ?, settings = ? WHERE id = ?');
    transaction(this.#database, () => {
      forget.run(settings.name, id);
      update.run(settings.name, JSON.stringify(settings), id);
    });
  }

  /** Throws `StoreWriteError`. */
  setDraining(id: string, draining: boolean): void {
    const statement = this.#database.prepare('UPDATE nodes SET draining = ? WHERE id = ?');
    transaction(this.#database, () => statement.run(draining ? 1 : 0, id));
  }

  /** Throws `StoreWriteError`. */
  remove(id: string): void {
    transaction(this.#database, () => this.#database.prepare('DELETE FROM nodes WHERE id = ?').run(id));
  }
}
