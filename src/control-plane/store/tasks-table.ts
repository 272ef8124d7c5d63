import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type Task, taskKinds, taskOrigins, taskStates } from '../task.ts';
import { transaction } from './database.ts';

type Row = Readonly<Record<string, SQLOutputValue>>;

/** The tasks there are and were. */
export class TasksTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Oldest first. */
  all(): readonly Task[] {
    return this.#database
      .prepare('SELECT * FROM tasks ORDER BY id')
      .all()
      .flatMap((row) => readTask(row) ?? []);
  }

  /** Keeps them as they are now. Throws `StoreWriteError`. */
  save(tasks: readonly Task[]): void {
    const statement = this.#database
      .prepare(`INSERT INTO tasks (id, kind, node_id, node_name, model, keep_alive, origin,
        distribution, state, detail, code, attempts, interruptions, completed_bytes, total_bytes, created_at, started_at, ended_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET node_name = excluded.node_name, state = excluded.state, detail = excluded.detail,
        code = excluded.code, attempts = excluded.attempts, interruptions = excluded.interruptions,
        completed_bytes = excluded.completed_bytes, total_bytes = excluded.total_bytes, started_at = excluded.started_at,
        ended_at = excluded.ended_at`);
    transaction(this.#database, () => {
      for (const task of tasks) {
        const { id, kind, nodeId, nodeName, model, keepAlive, origin, distribution, state, detail, code } = task;
        const { attempts, interruptions, completedBytes, totalBytes, createdAt, startedAt, endedAt } = task;
        const words = [id, kind, nodeId, nodeName, model, keepAlive, origin, distribution, state, detail, code];
        const figures = [attempts, interruptions, completedBytes, totalBytes, createdAt, startedAt, endedAt];
        statement.run(...words, ...figures);
      }
    });
  }

  /** Throws `StoreWriteError`. */
  remove(ids: readonly string[]): void {
    const statement = this.#database.prepare('DELETE FROM tasks WHERE id = ?');
    transaction(this.#database, () => ids.forEach((id) => statement.run(id)));
  }
}

/** Null for a row that a newer version wrote with words this one does not know. */
function readTask(row: Row): Task | null {
  const kind = taskKinds.find((known) => known === row['kind']);
  const state = taskStates.find((known) => known === row['state']);
  const origin = taskOrigins.find((known) => known === row['origin']);
  if (!kind || !state || !origin) return null;
  return {
    id: String(row['id']),
    kind,
    nodeId: String(row['node_id']),
    nodeName: String(row['node_name']),
    model: String(row['model']),
    keepAlive: textOrNull(row['keep_alive']),
    origin,
    distribution: textOrNull(row['distribution']),
    state,
    detail: textOrNull(row['detail']),
    code: textOrNull(row['code']),
    attempts: Number(row['attempts']),
    interruptions: Number(row['interruptions']),
    completedBytes: numberOrNull(row['completed_bytes']),
    totalBytes: numberOrNull(row['total_bytes']),
    bytesPerSecond: null,
    createdAt: Number(row['created_at']),
    startedAt: numberOrNull(row['started_at']),
    endedAt: numberOrNull(row['ended_at']),
    nextAttemptAt: null,
  };
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
