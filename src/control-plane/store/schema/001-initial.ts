// Ids of requests are UUIDv7, so the primary key is also the order of arrival, and pages are read along it.

export const initial = `
CREATE TABLE nodes (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  managed_by TEXT NOT NULL,
  settings TEXT,
  draining INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  expires_at INTEGER,
  models TEXT,
  weight REAL NOT NULL,
  max_concurrent INTEGER,
  rate_per_minute REAL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
  path TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;

CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  client_request_id TEXT,
  traceparent TEXT,
  arrived_at INTEGER NOT NULL,
  dialect TEXT NOT NULL,
  path TEXT NOT NULL,
  model TEXT,
  key_id TEXT,
  address_hmac TEXT,
  stream INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT,
  wait_ms REAL,
  first_byte_ms REAL,
  duration_ms REAL NOT NULL,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  cached_tokens INTEGER,
  tokens_estimated INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_arrival ON requests (arrived_at);
CREATE INDEX requests_by_model ON requests (model, id);
CREATE INDEX requests_by_key ON requests (key_id, id);

CREATE TABLE attempts (
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  node_id TEXT NOT NULL,
  node_name TEXT NOT NULL,
  started_after_ms REAL NOT NULL,
  duration_ms REAL NOT NULL,
  status INTEGER,
  end TEXT NOT NULL,
  PRIMARY KEY (request_id, position)
) STRICT, WITHOUT ROWID;
`;
