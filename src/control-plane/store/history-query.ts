import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { uuid7From } from '../../lib/uuid7.ts';

// Reading the history: newest first, page by page along the ids, which sort by arrival. A cursor is the last id of a page, so
// pages neither repeat nor skip rows while new ones come in. There is no other index: each would cost every request more than
// its row, and to look through half a million rows for a filter that matches none takes 0.1 s of this thread.

export interface HistoryFilter {
  readonly model?: string | undefined;
  readonly outcome?: string | undefined;
  readonly status?: number | undefined;
  readonly keyId?: string | undefined;
  readonly code?: string | undefined;
  /** Epoch ms of arrival, inclusive. */
  readonly since?: number | undefined;
  /** Epoch ms of arrival, exclusive. */
  readonly until?: number | undefined;
  /** A node's id or name. */
  readonly node?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface HistoryPage {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor: string | null;
}

const conditions = {
  model: 'model = ?',
  outcome: 'outcome = ?',
  status: 'status = ?',
  keyId: 'key_id = ?',
  code: 'code = ?',
  since: 'arrived_at >= ?',
  until: 'arrived_at < ?',
  cursor: 'id < ?',
} as const;

const NODE = `(? IN (node_id, node_name) OR EXISTS
  (SELECT 1 FROM attempts WHERE request_id = requests.id AND ? IN (attempts.node_id, attempts.node_name)))`;

/** An id is made a moment before its request's time is taken; the clock may have been set in between. */
const ID_SLACK_MS = 60_000;

export function listRequests(database: DatabaseSync, filter: HistoryFilter): HistoryPage {
  const where: string[] = [];
  const values: (string | number)[] = [];
  for (const [name, sql] of Object.entries(conditions)) {
    const value: unknown = Reflect.get(filter, name);
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    where.push(sql);
    values.push(value);
  }
  if (filter.node !== undefined) {
    where.push(NODE);
    values.push(filter.node, filter.node);
  }
  if (filter.since !== undefined) {
    where.push('id >= ?');
    values.push(uuid7From(filter.since - ID_SLACK_MS));
  }
  if (filter.until !== undefined) {
    where.push('id < ?');
    values.push(uuid7From(filter.until + ID_SLACK_MS));
  }
  const clause = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
  const rows = database
    .prepare(`SELECT * FROM requests ${clause} ORDER BY id DESC LIMIT ?`)
    .all(...values, filter.limit + 1);
  const page = rows.slice(0, filter.limit).map(toRequest);
  const last = page.at(-1)?.['id'];
  return { data: page, nextCursor: rows.length > filter.limit && typeof last === 'string' ? last : null };
}

/** One request with its attempts; null where there is none. */
export function findRequest(database: DatabaseSync, id: string): Readonly<Record<string, unknown>> | null {
  const row = database.prepare('SELECT * FROM requests WHERE id = ?').get(id);
  if (!row) return null;
  const attempts = database.prepare('SELECT * FROM attempts WHERE request_id = ? ORDER BY position').all(id);
  return {
    ...toRequest(row),
    attempts: [
      ...attempts.map((attempt) => ({
        nodeId: attempt['node_id'],
        nodeName: attempt['node_name'],
        startedAfterMs: attempt['started_after_ms'],
        durationMs: attempt['duration_ms'],
        status: attempt['status'],
        end: attempt['end'],
        model: attempt['model'] ?? row['model'],
      })),
      ...lastAttempt(row),
    ],
  };
}

/** Nothing where there was no attempt, or where all have rows of their own. */
function lastAttempt(row: Record<string, SQLOutputValue>): readonly object[] {
  if (row['node_id'] === null) return [];
  return [
    {
      nodeId: row['node_id'],
      nodeName: row['node_name'],
      startedAfterMs: row['attempt_started_after_ms'],
      durationMs: row['attempt_duration_ms'],
      status: row['attempt_status'],
      end: row['attempt_end'],
      model: row['attempt_model'] ?? row['model'],
    },
  ];
}

function toRequest(row: Record<string, SQLOutputValue>): Readonly<Record<string, unknown>> {
  return {
    id: row['id'],
    clientRequestId: row['client_request_id'],
    traceparent: row['traceparent'],
    arrivedAt: row['arrived_at'],
    dialect: row['dialect'],
    path: row['path'],
    model: row['model'],
    servedModel: row['outcome'] === 'served' ? (row['attempt_model'] ?? row['model']) : null,
    keyId: row['key_id'],
    caller: row['address_hmac'],
    stream: row['stream'] === 1,
    outcome: row['outcome'],
    status: row['status'],
    code: row['code'],
    waitMs: row['wait_ms'],
    firstByteMs: row['first_byte_ms'],
    durationMs: row['duration_ms'],
    requestBytes: row['request_bytes'],
    responseBytes: row['response_bytes'],
    usage:
      row['tokens_estimated'] === null
        ? null
        : {
            promptTokens: row['prompt_tokens'],
            completionTokens: row['completion_tokens'],
            cachedTokens: row['cached_tokens'],
            estimated: row['tokens_estimated'] === 1,
          },
  };
}
