import { createHmac, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { StoreWriteError, transaction } from './database.ts';

// The history keeps an HMAC of a client's address in place of the address: requests of one client can be told together, and
// whoever reads the history without the secret cannot try out the few billion addresses there are.

const NAME = 'history-address';
/** A client sends many requests, and an HMAC costs more than the row it stands in. */
const KEPT_ADDRESSES = 1000;

/** The function that turns an address into what the history keeps of it. Where the secret cannot be stored, one of this run only. */
export function addressHmac(database: DatabaseSync): (address: string) => string {
  const secret = storedSecret(database);
  const known = new Map<string, string>();
  return (address) => {
    const found = known.get(address);
    if (found !== undefined) return found;
    if (known.size >= KEPT_ADDRESSES) known.clear();
    const hmac = createHmac('sha256', secret).update(address).digest('hex').slice(0, 32);
    known.set(address, hmac);
    return hmac;
  };
}

function storedSecret(database: DatabaseSync): Buffer {
  const fresh = randomBytes(32);
  try {
    transaction(database, () =>
      database.prepare('INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING').run(NAME, fresh),
    );
  } catch (error) {
    if (!(error instanceof StoreWriteError)) throw error;
  }
  const value = database.prepare('SELECT value FROM secrets WHERE name = ?').get(NAME)?.['value'];
  return value instanceof Uint8Array ? Buffer.from(value) : fresh;
}
