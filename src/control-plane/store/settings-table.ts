import type { DatabaseSync } from 'node:sqlite';
import type { Overrides } from '../../fleet/settings-report.ts';
import { transaction } from './database.ts';

/** What was set through the admin API, by path, as it was written. */
export class SettingsTable {
  readonly #database: DatabaseSync;
  readonly #wall: () => number;

  constructor(database: DatabaseSync, wall: () => number) {
    this.#database = database;
    this.#wall = wall;
  }

  all(): Overrides {
    const rows = this.#database.prepare('SELECT path, value FROM settings ORDER BY path').all();
    return Object.fromEntries(rows.map((row) => [String(row['path']), JSON.parse(String(row['value']))]));
  }

  /** Makes these all there are. Throws `StoreWriteError`. */
  replace(overrides: Overrides): void {
    const clear = this.#database.prepare('DELETE FROM settings');
    const insert = this.#database.prepare('INSERT INTO settings (path, value, changed_at) VALUES (?, ?, ?)');
    transaction(this.#database, () => {
      clear.run();
      for (const [path, value] of Object.entries(overrides)) insert.run(path, JSON.stringify(value), this.#wall());
    });
  }
}
