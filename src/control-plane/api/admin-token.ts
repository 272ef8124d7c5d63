import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The token that opens the admin API: the configured one, else one made at the first start and kept beside the database.
// Tokens are compared as hashes, so that the comparison takes the same time whatever was sent, its length too.

export interface AdminToken {
  readonly token: string;
  /** True where it was made just now: it must be shown once. */
  readonly isNew: boolean;
}

/** Throws what the file system throws. */
export function adminToken(configured: string | null, dataDir: string): AdminToken {
  if (configured !== null) return { token: configured, isNew: false };
  const file = join(dataDir, 'admin-token');
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8').trim();
    if (kept !== '') {
      chmodSync(file, 0o600);
      return { token: kept, isNew: false };
    }
  }
  const token = randomBytes(32).toString('base64url');
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return { token, isNew: true };
}

/** A check of an `Authorization` header against the token. */
export function tokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = hash(token);
  return (header) => {
    const sent = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    return sent !== undefined && timingSafeEqual(hash(sent), expected);
  };
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
