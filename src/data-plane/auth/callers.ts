import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import type { ErrorCode } from '../../fleet/errors.ts';
import { canonicalModel } from '../../fleet/glossary.ts';
import type { Settings } from '../../fleet/settings.ts';
import type { FleetSnapshot, KeySnapshot } from '../../fleet/snapshot.ts';
import { keyHash, sentKey } from './key-hash.ts';
import { RateLimit } from './rate-limit.ts';
import { isLoopback, isSameOrigin } from './same-origin.ts';

// Who is calling: the key, or without one the peer's address. Where keys are not required an unknown key is not an error, since most
// clients insist on sending some key; a known one still counts as its caller.

export interface Caller {
  /** Null where no known key was sent. */
  readonly key: KeySnapshot | null;
  /** The peer's address; behind a trusted proxy, the one it names. */
  readonly address: string;
}

export type Identified =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly retryAfterMs: number | null };

const CONCURRENCY_RETRY_MS = 1000;

export class Callers {
  readonly #required: boolean;
  readonly #guardsOrigin: boolean;
  readonly #trustedProxies: BlockList;
  readonly #rates = new RateLimit();
  readonly #open = new Map<string, number>();

  constructor({ auth, listen }: Pick<Settings, 'auth' | 'listen'>) {
    this.#required = auth.clients === 'required' || (auth.clients === 'auto' && !isLoopback(listen.host));
    this.#guardsOrigin = isLoopback(listen.host);
    this.#trustedProxies = proxyList(auth.trustedProxies);
  }

  /** Tells who calls, or why this caller is refused. `now` is monotonic, `wall` epoch ms. */
  identify(request: IncomingMessage, snapshot: FleetSnapshot, now: number, wall: number): Identified {
    const sent = sentKey(request);
    const known = sent === null ? undefined : snapshot.keys.get(keyHash(sent));
    const key = known && !isExpired(known, wall) ? known : null;
    if (!key) {
      if (this.#required) return refused('invalid_api_key');
      if (this.#guardsOrigin && !isSameOrigin(request)) return refused('foreign_origin');
    } else {
      const waitMs = this.#limitOf(key, now);
      if (waitMs > 0) return refused('rate_limit_exceeded', waitMs);
    }
    return { kind: 'caller', caller: { key, address: this.#addressOf(request) } };
  }

  /** A caller's request begins; its end must be told by `left`. */
  entered({ key }: Caller): void {
    if (key) this.#open.set(key.id, (this.#open.get(key.id) ?? 0) + 1);
  }

  left({ key }: Caller): void {
    if (!key) return;
    const rest = (this.#open.get(key.id) ?? 1) - 1;
    if (rest === 0) this.#open.delete(key.id);
    else this.#open.set(key.id, rest);
  }

  #limitOf(key: KeySnapshot, now: number): number {
    if (key.maxConcurrent !== null && (this.#open.get(key.id) ?? 0) >= key.maxConcurrent) return CONCURRENCY_RETRY_MS;
    return key.ratePerMinute === null ? 0 : this.#rates.take(key.id, key.ratePerMinute, now);
  }

  #addressOf(request: IncomingMessage): string {
    const peer = plainAddress(request.socket.remoteAddress ?? '');
    const forwarded = request.headers['x-forwarded-for'];
    if (typeof forwarded !== 'string' || !this.#isTrusted(peer)) return peer;
    // From the right: the first address that no trusted proxy could have invented.
    const hops = forwarded.split(',').map((hop) => plainAddress(hop.trim()));
    return hops.findLast((hop) => !this.#isTrusted(hop)) ?? peer;
  }

  #isTrusted(address: string): boolean {
    return address !== '' && this.#trustedProxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** May this caller use the model? `name` is what the client asked for. */
export function mayUse({ key }: Caller, name: string): boolean {
  return key === null || key.models === null || key.models.includes(canonicalModel(name));
}

export function isExpired(key: KeySnapshot, wall: number): boolean {
  return key.expiresAt !== null && key.expiresAt <= wall;
}

function refused(code: ErrorCode, retryAfterMs: number | null = null): Identified {
  return { kind: 'refused', code, retryAfterMs };
}

/** IPv4 as seen by an IPv6 socket, without its wrapping. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

function proxyList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
