import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, closeSync, constants, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

// The token that opens the admin API: the configured one, else one made at the first start and kept beside the database.
// Tokens are compared as hashes, so that the comparison takes the same time whatever was sent, its length too.

/** Well below the size of headers that the admin listener takes. */
const LONGEST_TOKEN = 4096;

export interface AdminToken {
  readonly token: string;
  /** True where it was made just now: it must be shown once. */
  readonly isNew: boolean;
}

/** The kept token cannot be one; the message says what to do. */
export class UnusableToken extends Error {
  override readonly name = 'UnusableToken';
}

/** Throws `UnusableToken`, and what the file system throws. */
export function adminToken(configured: string | null, dataDir: string): AdminToken {
  if (configured !== null) return { token: configured, isNew: false };
  const path = join(dataDir, 'admin-token');
  // First of all: a file that was there keeps its mode, and what is written next is the secret.
  if (existsSync(path)) chmodSync(path, 0o600);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const kept = readFileSync(file, 'utf8').trim();
    if (kept !== '') {
      refuseGarbage(kept, path);
      return { token: kept, isNew: false };
    }
    const token = randomBytes(32).toString('base64url');
    ftruncateSync(file);
    writeSync(file, `${token}\n`, 0);
    return { token, isNew: true };
  } finally {
    closeSync(file);
  }
}

/** What no `Authorization` header can carry would lock everybody out. */
function refuseGarbage(kept: string, path: string): void {
  if (kept.length <= LONGEST_TOKEN && /^[!-~]+$/.test(kept)) return;
  throw new UnusableToken(
    `The file ${path} holds no usable admin token: one line of at most ${LONGEST_TOKEN} visible ASCII characters without ` +
      'spaces. Remove the file to have a new token made, or set WEIR_ADMIN_TOKEN.',
  );
}

/** A check of an `Authorization` header against the token. */
export function tokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = hash(token);
  return (header) => {
    const sent = sentToken(header);
    return sent !== null && timingSafeEqual(hash(sent), expected);
  };
}

/** What an `Authorization` header carries; null where it is no bearer token. */
export function sentToken(header: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
