import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';

export interface StoredAgent {
  readonly nodeId: string;
  /** Hex SHA-256 of what the agent proves itself with. */
  readonly identityHash: string;
  /** Of the token it came with at last; that may be revoked by now. */
  readonly tokenId: string;
}

/** Which node belongs to which agent. A row goes with its node. */
export class AgentsTable {
  readonly #database: DatabaseSync;
  readonly #wall: () => number;

  constructor(database: DatabaseSync, wall: () => number) {
    this.#database = database;
    this.#wall = wall;
  }

  all(): readonly StoredAgent[] {
    return this.#database
      .prepare('SELECT node_id, identity_hash, token_id FROM agents')
      .all()
      .map((row) => ({
        nodeId: String(row['node_id']),
        identityHash: String(row['identity_hash']),
        tokenId: String(row['token_id']),
      }));
  }

  /** Throws `StoreWriteError`. */
  put({ nodeId, identityHash, tokenId }: StoredAgent): void {
    const sql = `INSERT INTO agents (node_id, identity_hash, token_id, joined_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (node_id) DO UPDATE SET identity_hash = excluded.identity_hash, token_id = excluded.token_id`;
    const forget = this.#database.prepare('DELETE FROM agents WHERE identity_hash = ? AND node_id <> ?');
    transaction(this.#database, () => {
      forget.run(identityHash, nodeId);
      this.#database.prepare(sql).run(nodeId, identityHash, tokenId, this.#wall());
    });
  }
}
