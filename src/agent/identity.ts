import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const IDENTITY = /^[\w-]{20,128}$/;

/**
 * The secret by which the router knows this agent's node again, kept in `dataDir` (0600) and made where there is none. Whoever copies
 * it to another machine moves the node there. Throws what the file system throws, and an `Error` for a file that holds something else.
 */
export function agentIdentity(dataDir: string): string {
  const path = join(dataDir, 'agent-identity');
  const kept = read(path);
  if (kept === null) {
    const identity = randomBytes(32).toString('base64url');
    writeFileSync(path, `${identity}\n`, { mode: 0o600, flag: 'wx' });
    return identity;
  }
  if (IDENTITY.test(kept)) return kept;
  throw new Error(`${path} holds no identity of an agent. Remove it to join as a new node.`);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
