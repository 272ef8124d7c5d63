// `identity_hash` is what an agent proves itself with; its node is found by it whatever address or token it comes with later.

export const agents = `
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  scope TEXT NOT NULL,
  expires_at INTEGER,
  max_nodes INTEGER,
  needs_approval INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
  node_id TEXT PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
  identity_hash TEXT NOT NULL UNIQUE,
  token_id TEXT NOT NULL,
  joined_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
