import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';

export interface StoredToken {
  readonly id: string;
  /** Hex SHA-256 of the token. The token itself is never kept. */
  readonly hash: string;
  readonly label: string;
  /** What it opens; there is one kind so far. */
  readonly scope: 'register';
  /** Epoch ms, or null for never. */
  readonly expiresAt: number | null;
  /** How many nodes may belong to it, or null for no limit. */
  readonly maxNodes: number | null;
  /** Nodes that join with it take no requests until an administrator resumes them. */
  readonly needsApproval: boolean;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** Tokens made through the API, by their hashes. */
export class TokensTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all(): readonly StoredToken[] {
    return this.#database
      .prepare('SELECT * FROM tokens ORDER BY created_at, id')
      .all()
      .map((row) => ({
        id: String(row['id']),
        hash: String(row['hash']),
        label: String(row['label']),
        scope: 'register',
        expiresAt: numberOrNull(row['expires_at']),
        maxNodes: numberOrNull(row['max_nodes']),
        needsApproval: row['needs_approval'] === 1,
        createdAt: Number(row['created_at']),
      }));
  }

  /** Throws `StoreWriteError`. */
  add({ id, hash, label, scope, expiresAt, maxNodes, needsApproval, createdAt }: StoredToken): void {
    const sql = `INSERT INTO tokens (id, hash, label, scope, expires_at, max_nodes, needs_approval, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const approval = needsApproval ? 1 : 0;
    transaction(this.#database, () =>
      this.#database.prepare(sql).run(id, hash, label, scope, expiresAt, maxNodes, approval, createdAt),
    );
  }

  /** Throws `StoreWriteError`. */
  remove(id: string): void {
    transaction(this.#database, () => this.#database.prepare('DELETE FROM tokens WHERE id = ?').run(id));
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
