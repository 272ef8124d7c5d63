// Ids are UUIDv7, so their order is that of creation. A task that is not over has no `ended_at`.

export const tasks = `
CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  node_id TEXT NOT NULL,
  node_name TEXT NOT NULL,
  model TEXT NOT NULL,
  keep_alive TEXT,
  origin TEXT NOT NULL,
  distribution TEXT,
  state TEXT NOT NULL,
  detail TEXT,
  code TEXT,
  attempts INTEGER NOT NULL,
  interruptions INTEGER NOT NULL,
  completed_bytes INTEGER,
  total_bytes INTEGER,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER
) STRICT, WITHOUT ROWID;
`;
