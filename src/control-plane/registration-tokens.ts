import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { StoredToken, TokensTable } from './store/tokens-table.ts';

// Registration tokens: what an agent joins the fleet with. Such a token opens the agents' listener and nothing else. As with client
// keys, 32 random bytes stand behind a prefix that secret scanners can know, and only their SHA-256 is kept.
//
// Whoever holds one can become a node, and a node sees the prompts that are placed on it. `maxNodes` and `needsApproval` are
// there to make that impossible or at least visible; the other nodes of a token cannot be taken over with it, because each
// agent also proves itself with a secret of its own.

export type NewToken = Pick<StoredToken, 'label' | 'expiresAt' | 'maxNodes' | 'needsApproval'>;

export type FoundToken =
  | { readonly kind: 'valid'; readonly token: StoredToken }
  | { readonly kind: 'expired'; readonly token: StoredToken }
  | { readonly kind: 'unknown' };

export class RegistrationTokens {
  readonly #table: TokensTable;
  readonly #byHash: Map<string, StoredToken>;

  constructor(table: TokensTable) {
    this.#table = table;
    this.#byHash = new Map(table.all().map((token) => [token.hash, token]));
  }

  all(): readonly StoredToken[] {
    return [...this.#byHash.values()];
  }

  byId(id: string): StoredToken | null {
    return this.all().find((token) => token.id === id) ?? null;
  }

  /** `now` is epoch ms. */
  find(secret: string, now: number): FoundToken {
    const token = this.#byHash.get(sha256(secret));
    if (!token) return { kind: 'unknown' };
    return { kind: token.expiresAt !== null && token.expiresAt <= now ? 'expired' : 'valid', token };
  }

  /** Makes a token; `secret` is told this once. Throws `StoreWriteError`. */
  create(wanted: NewToken, createdAt: number): { readonly token: StoredToken; readonly secret: string } {
    const secret = `weirreg_${randomBytes(32).toString('base64url')}`;
    const token: StoredToken = { ...wanted, id: randomUUID(), hash: sha256(secret), scope: 'register', createdAt };
    this.#table.add(token);
    this.#byHash.set(token.hash, token);
    return { token, secret };
  }

  /** Throws `StoreWriteError`. */
  remove(token: StoredToken): void {
    this.#table.remove(token.id);
    this.#byHash.delete(token.hash);
  }
}

/** As secrets of agents are kept and looked up. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
