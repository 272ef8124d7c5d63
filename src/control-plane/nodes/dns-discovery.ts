import type { DnsSource, NodeSettings } from '../../fleet/settings.ts';
import type { Clock } from '../../lib/clock.ts';

// Nodes by a name in DNS: each of its addresses is one, as those of a headless service in Kubernetes are. With a port the addresses of the
// name are taken, without one its SRV records, which say host and port. An address that is no longer there is kept for a minute: answers
// of DNS rotate, are cut to what fits, and lag behind. An answer that there is no such name is an answer (a service without ready
// pods has none); one that did not come changes nothing.
//
// Only http: a certificate would have to name the address.

const EVERY_MS = 30_000;
const GONE_AFTER_MS = 60_000;
/** Of a name that was never resolved: it may be about to come up with the router. */
const FIRST_EVERY_MS = 2000;

export interface Resolver {
  /** IPv4 and IPv6 addresses; rejects with the system's error. */
  addresses(name: string): Promise<readonly string[]>;
  services(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

export interface DnsDiscoveryOptions {
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** All nodes of a source as they are now, after each answer. */
  readonly onNodes: (source: DnsSource, nodes: readonly NodeSettings[]) => void;
  /** It could not be resolved; told once until it is again. */
  readonly onFailure: (source: DnsSource, reason: string) => void;
  /** The first try of a source has ended. */
  readonly onFirstLook: (source: DnsSource) => void;
}

export class DnsDiscovery {
  readonly #options: DnsDiscoveryOptions;
  readonly #source: DnsSource;
  /** By `address:port`: monotonic ms when it was last told. */
  readonly #seenAt = new Map<string, number>();
  #cancel: () => void = () => undefined;
  #hasAnswered = false;
  #isFailing = false;
  #isStopped = false;

  constructor(source: DnsSource, options: DnsDiscoveryOptions) {
    this.#source = source;
    this.#options = options;
  }

  get source(): DnsSource {
    return this.#source;
  }

  start(): void {
    void this.#look().then(() => this.#options.onFirstLook(this.#source));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { clock, onNodes, onFailure } = this.#options;
    const endpoints = await this.#resolve();
    if (this.#isStopped) return;
    if (typeof endpoints === 'string') {
      if (!this.#isFailing) onFailure(this.#source, endpoints);
      this.#isFailing = true;
    } else {
      this.#isFailing = false;
      this.#hasAnswered = true;
      const now = clock.now();
      for (const endpoint of endpoints) this.#seenAt.set(endpoint, now);
      for (const [endpoint, seenAt] of this.#seenAt) {
        if (now - seenAt >= GONE_AFTER_MS) this.#seenAt.delete(endpoint);
      }
      onNodes(this.#source, this.#nodes());
    }
    this.#cancel = clock.after(this.#hasAnswered ? EVERY_MS : FIRST_EVERY_MS, () => void this.#look());
  }

  #nodes(): readonly NodeSettings[] {
    return [...this.#seenAt.keys()].toSorted().map((endpoint) => nodeOf(this.#source, endpoint));
  }

  /** What is there, or why that is not known. */
  async #resolve(): Promise<readonly string[] | string> {
    const { resolver } = this.#options;
    const { name, port } = this.#source;
    try {
      const services = port === null ? await answers(resolver.services(name)) : [{ name, port }];
      const found = await Promise.all(
        services.map(async (service) => {
          const addresses = await answers(resolver.addresses(service.name));
          return addresses.map((address) => `${address.includes(':') ? `[${address}]` : address}:${service.port}`);
        }),
      );
      return found.flat();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** The node at `address:port`; it is called so wherever it is seen again. */
function nodeOf({ name, node }: DnsSource, endpoint: string): NodeSettings {
  const place = endpoint.replaceAll(/[[\]]/g, '').replace(/:(\d+)$/, '-$1');
  return { ...node, name: `${name.replace(/\.$/, '')}-${place}`, url: `http://${endpoint}` };
}

/** An answer that there is nothing is one. */
async function answers<T>(question: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await question;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}
