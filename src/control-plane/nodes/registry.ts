import type { NodeSettings } from '../../fleet/settings.ts';
import type { NodeSnapshot } from '../../fleet/snapshot.ts';
import type { Clock } from '../../lib/clock.ts';
import { listingOf, type ProbeResult, unknownLoad } from '../probe.ts';
import { afterProbe, afterRefusedKey, unprobed } from './health.ts';
import { offeredModels } from './listed-models.ts';
import { type NodeAddress, readNodeUrl } from './node-address.ts';
import type { ListedModel, ManagedBy, RegisteredNode } from './registered-node.ts';

// Who is in the fleet. A node's index is small and reused, because the data plane counts in arrays; so that a late release
// for a node that is gone cannot hit the newcomer at its index, each registration has a generation: the version of
// the snapshot that first tells of it. Versions only grow, across restarts of this worker too, so no two
// registrations that the data plane ever saw share both numbers.

export interface Registration {
  readonly id: string;
  readonly managedBy: ManagedBy;
  /** As of a registered node. */
  readonly foundBy?: string;
  readonly settings: NodeSettings;
  readonly draining: boolean;
  /** What a former control plane published of this node: its index, generation and state are taken over. */
  readonly remembered?: { readonly node: NodeSnapshot; readonly models: readonly ListedModel[] };
}

export class NodeRegistry {
  readonly #nodes = new Map<string, RegisteredNode>();
  readonly #clock: Clock;
  readonly #nextVersion: () => number;
  readonly #tunnelSocket: (id: string) => string;

  /** `nextVersion`: that of the next snapshot to be published. `tunnelSocket`: where the tunnel of a node is dialled. */
  constructor(clock: Clock, nextVersion: () => number, tunnelSocket: (id: string) => string) {
    this.#clock = clock;
    this.#nextVersion = nextVersion;
    this.#tunnelSocket = tunnelSocket;
  }

  all(): readonly RegisteredNode[] {
    return [...this.#nodes.values()];
  }

  byId(id: string): RegisteredNode | null {
    return this.#nodes.get(id) ?? null;
  }

  byName(name: string): RegisteredNode | null {
    return this.all().find((node) => node.settings.name === name) ?? null;
  }

  /** Null where that registration is gone. */
  byIndex(index: number, generation: number): RegisteredNode | null {
    return this.all().find((node) => node.index === index && node.generation === generation) ?? null;
  }

  /** Throws `NodeUrlError` for an unusable `url`. The name must be free. */
  add({ id, managedBy, foundBy, settings, draining, remembered }: Registration): RegisteredNode {
    const address = this.#addressOf(id, settings);
    const known = remembered?.node.baseUrl === address.baseUrl ? remembered : undefined;
    const node: RegisteredNode = {
      index: remembered?.node.index ?? this.#freeIndex(),
      generation: known?.node.generation ?? this.#nextVersion(),
      id,
      managedBy,
      foundBy: foundBy ?? null,
      settings,
      address,
      draining,
      health: known ? { ...unprobed, state: known.node.state } : unprobed,
      engine: known && known.node.state !== 'starting' ? known.node.engine : null,
      models: offeredModels(settings.models, null) ?? known?.models ?? null,
      listed: null,
      listing: null,
      slotsTold: settings.maxConcurrent === undefined && known?.node.slotsGuessed === false ? known.node.slots : null,
      load: unknownLoad,
      version: null,
      probes: known?.node.probes ?? 0,
      lastProbeAt: null,
      readAt: 0,
    };
    this.#nodes.set(id, node);
    return node;
  }

  /** Another address is another engine: what was counted of the old one is not held against it. Throws `NodeUrlError`. */
  change(node: RegisteredNode, settings: NodeSettings): void {
    const address = this.#addressOf(node.id, settings);
    if (address.baseUrl !== node.address.baseUrl || address.socketPath !== node.address.socketPath) {
      node.generation = this.#nextVersion();
      node.health = unprobed;
      node.engine = null;
      node.listed = null;
      node.listing = null;
      node.slotsTold = null;
      node.load = unknownLoad;
      node.version = null;
    }
    node.address = address;
    node.settings = settings;
    node.models = offeredModels(settings.models, null) ?? node.models;
    if (node.health.state === 'misconfigured') node.health = { ...node.health, heldUntil: 0 };
  }

  remove(node: RegisteredNode): void {
    this.#nodes.delete(node.id);
  }

  /** Takes in a finished probe; true if anything changed that a snapshot tells, its count of probes aside. */
  applyProbe(node: RegisteredNode, result: ProbeResult): boolean {
    const before = told(node);
    const now = this.#clock.now();
    node.health = afterProbe(node.health, result, now);
    node.probes += 1;
    node.lastProbeAt = this.#clock.wall();
    node.readAt = now;
    node.load = unknownLoad;
    if (result.kind === 'answered') {
      const previous = node.engine;
      node.engine = result.engine;
      node.slotsTold = result.slots ?? (result.engine === previous ? node.slotsTold : null);
      node.load = result.load;
      node.version = result.version ?? (result.engine === previous ? node.version : null);
      node.listed = result.models ?? node.listed;
      node.listing = listingOf(result.models) ?? node.listing;
      node.models = offeredModels(node.settings.models, result.models) ?? node.models;
    }
    return told(node) !== before;
  }

  /** True if that changed its state. */
  refuseKey(node: RegisteredNode): boolean {
    const { state } = node.health;
    node.health = afterRefusedKey(node.health, this.#clock.now());
    return state !== node.health.state;
  }

  /** An administrator asks: a probe's success counts again at once. */
  liftHold(node: RegisteredNode): void {
    node.health = { ...node.health, heldUntil: 0 };
  }

  #addressOf(id: string, { url, viaTunnel }: NodeSettings): NodeAddress {
    const address = readNodeUrl(url);
    return viaTunnel ? { ...address, socketPath: this.#tunnelSocket(id) } : address;
  }

  #freeIndex(): number {
    const taken = new Set(this.all().map((node) => node.index));
    let index = 0;
    while (taken.has(index)) index += 1;
    return index;
  }
}

/** What a snapshot would tell of a node after a probe, to see whether it changed. */
function told({ health, engine, slotsTold, models }: RegisteredNode): string {
  return JSON.stringify([
    health.state,
    engine,
    slotsTold,
    models?.map(({ model, upstream, ready, slots }) => [model, upstream, ready, slots]),
  ]);
}
