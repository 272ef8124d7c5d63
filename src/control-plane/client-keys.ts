import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { canonicalModel } from '../fleet/glossary.ts';
import type { KeySettings } from '../fleet/settings.ts';
import type { KeySnapshot } from '../fleet/snapshot.ts';
import type { KeysTable, StoredKey } from './store/keys-table.ts';

// The client keys: those declared in the configuration and those made through the API. A key is 32 random bytes behind a
// prefix that secret scanners can know; only its SHA-256 is kept, which for so much randomness is as good as a slow hash.

export interface ClientKey extends StoredKey {
  readonly managedBy: 'config' | 'api';
}

export type NewKey = Omit<KeySettings, 'hash'>;

export class ClientKeys {
  readonly #table: KeysTable;
  readonly #keys = new Map<string, ClientKey>();

  /** `declaredAt`: epoch ms to show as the creation of declared keys. */
  constructor(table: KeysTable, declared: readonly KeySettings[], declaredAt: number) {
    this.#table = table;
    for (const key of table.all()) this.#keys.set(key.id, { ...key, managedBy: 'api' });
    this.declare(declared, declaredAt);
  }

  /** Replaces the declared keys; those that stay keep their ids. */
  declare(declared: readonly KeySettings[], declaredAt: number): void {
    const before = new Map(this.#keys);
    for (const [id, { managedBy }] of before) if (managedBy === 'config') this.#keys.delete(id);
    for (const key of declared) {
      // An id that stays the same over restarts and tells nothing of the hash.
      const id = sha256(`weir key ${key.hash}`).slice(0, 32);
      const createdAt = before.get(id)?.createdAt ?? declaredAt;
      this.#keys.set(id, { ...key, id, createdAt, managedBy: 'config' });
    }
  }

  all(): readonly ClientKey[] {
    return [...this.#keys.values()];
  }

  byId(id: string): ClientKey | null {
    return this.#keys.get(id) ?? null;
  }

  /** By hash, as a snapshot carries them. A declared key wins over one made through the API. */
  snapshot(): ReadonlyMap<string, KeySnapshot> {
    return new Map(
      this.all().map(({ hash, createdAt: _createdAt, managedBy: _managedBy, ...key }) => [
        hash,
        { ...key, models: key.models?.map(canonicalModel) ?? null },
      ]),
    );
  }

  /** Makes a key; `secret` is told this once. Throws `StoreWriteError`. */
  create(wanted: NewKey, createdAt: number): { readonly key: ClientKey; readonly secret: string } {
    const secret = `weir_${randomBytes(32).toString('base64url')}`;
    const stored: StoredKey = { ...wanted, id: randomUUID(), hash: sha256(secret), createdAt };
    this.#table.add(stored);
    const key: ClientKey = { ...stored, managedBy: 'api' };
    this.#keys.set(key.id, key);
    return { key, secret };
  }

  /** Throws `StoreWriteError`. */
  remove(id: string): void {
    this.#table.remove(id);
    this.#keys.delete(id);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
