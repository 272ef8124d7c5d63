import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import type { ErrorCode } from '../../fleet/errors.ts';
import { canonicalModel } from '../../fleet/glossary.ts';
import type { Settings } from '../../fleet/settings.ts';
import type { FleetSnapshot, KeySnapshot } from '../../fleet/snapshot.ts';
import { KeysByConnection } from './key-hash.ts';
import { type KeyLimits, OwnKeyLimits } from './key-limits.ts';
import { callerAddress, proxyList } from './peer-address.ts';
import { isLoopback, isSameOrigin } from './same-origin.ts';

// Who is calling: the key, or without one the peer's address. Where keys are not required an unknown key is not an error, since most
// clients insist on sending some key; a known one still counts as its caller.

export interface Caller {
  /** Null where no known key was sent. */
  readonly key: KeySnapshot | null;
  /** Where there is no key, an IPv4 address or an IPv6 /64: the peer's, or behind a trusted proxy the one it names. */
  readonly address: string | null;
}

export type Identified =
  /** Its request has begun; `leave`, called once, ends it. */
  | { readonly kind: 'caller'; readonly caller: Caller; readonly leave: () => void }
  | {
      readonly kind: 'refused';
      readonly caller: Caller;
      readonly code: ErrorCode;
      readonly retryAfterMs: number | null;
    };

const unlimited = (): void => undefined;

export class Callers {
  readonly #required: boolean;
  readonly #guardsOrigin: boolean;
  readonly #origins: readonly string[];
  readonly #trustedProxies: BlockList;
  readonly #limits: KeyLimits;
  readonly #keys = new KeysByConnection();

  constructor(
    { auth, listen, cors }: Pick<Settings, 'auth' | 'listen' | 'cors'>,
    limits: KeyLimits = new OwnKeyLimits(),
  ) {
    this.#limits = limits;
    this.#required = auth.clients === 'required' || (auth.clients === 'auto' && !isLoopback(listen.host));
    this.#guardsOrigin = isLoopback(listen.host);
    this.#origins = cors.origins;
    this.#trustedProxies = proxyList(auth.trustedProxies);
  }

  /** Tells who calls and lets the request in, or says why this caller is refused. `now` is monotonic, `wall` epoch ms. */
  enter(request: IncomingMessage, snapshot: FleetSnapshot, now: number, wall: number): Identified {
    const known = this.#keys.find(request, snapshot.keys);
    const key = known && !isExpired(known, wall) ? known : null;
    const caller = { key, address: key ? null : this.#addressOf(request) };
    const refused = (code: ErrorCode, retryAfterMs: number | null = null): Identified => ({
      kind: 'refused',
      caller,
      code,
      retryAfterMs,
    });
    if (key) {
      const entered = this.#limits.enter(key, now);
      return typeof entered === 'number'
        ? refused('rate_limit_exceeded', entered)
        : { kind: 'caller', caller, leave: entered };
    }
    if (this.#required) return refused('invalid_api_key');
    if (this.#guardsOrigin && !isSameOrigin(request, this.#origins)) return refused('foreign_origin');
    return { kind: 'caller', caller, leave: unlimited };
  }

  #addressOf({ socket, headers }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for'];
    const named = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
    return callerAddress(socket.remoteAddress ?? '', named, this.#trustedProxies);
  }
}

/** May this caller use the model? `name` is what the client asked for. */
export function mayUse({ key }: Caller, name: string): boolean {
  if (key === null || key.models === null) return true;
  const model = canonicalModel(name);
  return key.models.some((allowed) =>
    allowed.endsWith('*') ? model.startsWith(allowed.slice(0, -1)) : allowed === model,
  );
}

function isExpired(key: KeySnapshot, wall: number): boolean {
  return key.expiresAt !== null && key.expiresAt <= wall;
}
