import type { EngineKind } from '../../fleet/glossary.ts';
import type { NodeDoubt } from '../../fleet/messages.ts';
import type { NodeSettings } from '../../fleet/settings.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Former, ProbeResult } from '../probe.ts';
import { wantsQuickProbe } from './health.ts';
import { ProbeLoop } from './probe-loop.ts';
import type { RegisteredNode } from './registered-node.ts';
import { NodeRegistry, type Registration } from './registry.ts';

// The registered nodes and their probe loops. Every change that the data plane must know of ends in `onChange`. A probe that
// changes nothing is not published, because a new snapshot makes the data plane choose its candidates anew; unless a request
// raised a doubt, which that probe settles.

const QUICK_MS = 1000;
/** A provider is asked for its models seldom: it is not ours to watch, requests tell of trouble sooner, and it counts what it is asked. */
const PROVIDER_MS = 60_000;
const PROVIDER_QUICK_MS = 5000;

export interface NodeFleetOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly intervalMs: number;
  /** The version of the next snapshot. */
  readonly nextVersion: () => number;
  /** Where the tunnel of a node is dialled. */
  readonly tunnelSocket: (id: string) => string;
  /** Asks the node's engine; `engine` null: recognise it, unless it still is what it was `former`ly. */
  readonly probe: (node: RegisteredNode, engine: EngineKind | null, former: Former | null) => Promise<ProbeResult>;
  readonly onChange: () => void;
  readonly onTelemetry: (telemetry: NodeTelemetry) => void;
  /** A node's state became another, or its first probe ended. */
  readonly onState: (node: RegisteredNode) => void;
  /** The first probe of a node ended, or the node was removed before. */
  readonly onFirstProbe: (id: string) => void;
  readonly onRemoved: (id: string) => void;
}

export class NodeFleet {
  readonly registry: NodeRegistry;
  readonly #options: NodeFleetOptions;
  readonly #loops = new Map<string, ProbeLoop>();
  readonly #doubted = new Set<string>();
  /** Nodes whose next probe recognises the engine anew. */
  readonly #unfamiliar = new Set<string>();

  constructor(options: NodeFleetOptions) {
    this.#options = options;
    this.registry = new NodeRegistry(options.clock, options.nextVersion, options.tunnelSocket);
  }

  /** Registers and begins to probe at once. Throws `NodeUrlError`. */
  add(registration: Registration): RegisteredNode {
    const node = this.registry.add(registration);
    const { clock, random, onChange } = this.#options;
    const loop = new ProbeLoop({
      clock,
      random,
      probe: () => this.#probe(node),
      pauseMs: () => this.#pauseMs(node),
    });
    this.#loops.set(node.id, loop);
    loop.start(0);
    onChange();
    return node;
  }

  /** Probes anew with the new settings. Throws `NodeUrlError`, and then nothing has changed. */
  change(node: RegisteredNode, settings: NodeSettings): void {
    this.registry.change(node, settings);
    this.#loops.get(node.id)?.doubt();
    this.#options.onChange();
  }

  /** Takes a node for gone without asking it: what it was asked and has not begun to answer is asked of others. */
  giveUp(node: RegisteredNode, detail: string): void {
    if (!this.registry.applyProbe(node, { kind: 'silent', detail })) return;
    this.#options.onState(node);
    this.#options.onChange();
  }

  remove(node: RegisteredNode): void {
    this.#loops.get(node.id)?.stop();
    this.#loops.delete(node.id);
    this.#doubted.delete(node.id);
    this.#unfamiliar.delete(node.id);
    this.registry.remove(node);
    this.#options.onFirstProbe(node.id);
    this.#options.onRemoved(node.id);
    this.#options.onChange();
  }

  drain(node: RegisteredNode, draining: boolean): void {
    node.draining = draining;
    this.#options.onChange();
  }

  /** Resolves when a probe that began after this call, and recognised the engine anew, has ended. */
  async probeNow(node: RegisteredNode): Promise<void> {
    this.registry.liftHold(node);
    this.#unfamiliar.add(node.id);
    await this.#loops.get(node.id)?.probeNow();
  }

  /** Something a request learned. Ignored where that registration is gone. */
  doubt({ index, generation, reason }: NodeDoubt): void {
    const node = this.registry.byIndex(index, generation);
    if (!node) return;
    this.#doubted.add(node.id);
    // A provider's list is asked for with the key, so the next probe knows better than a request, which a right of the key may lack for.
    const isKeyRefused = reason === 'unauthorized' && !node.settings.provider;
    if (isKeyRefused && this.registry.refuseKey(node)) {
      this.#options.onState(node);
      this.#options.onChange();
    }
    // What loads stays so for a while, and some engines list a model as usual meanwhile: asked at once, they would be believed.
    const leastMs = reason === 'loading' ? QUICK_MS : 0;
    this.#loops.get(node.id)?.doubt(node.settings.provider ? PROVIDER_QUICK_MS : leastMs);
  }

  stop(): void {
    for (const loop of this.#loops.values()) loop.stop();
    this.#loops.clear();
  }

  #pauseMs(node: RegisteredNode): number {
    const { clock, intervalMs } = this.#options;
    const wantsQuick = wantsQuickProbe(node.health, clock.now());
    if (node.settings.provider) return Math.max(intervalMs, wantsQuick ? PROVIDER_QUICK_MS : PROVIDER_MS);
    return wantsQuick ? Math.min(QUICK_MS, intervalMs) : intervalMs;
  }

  async #probe(node: RegisteredNode): Promise<void> {
    const { settings, health } = node;
    const wasDoubted = this.#doubted.has(node.id);
    // A node that was away, or never answered in order, may be another engine by now.
    const isSure = health.state === 'ready' || health.state === 'loading';
    const isDoubted = this.#unfamiliar.delete(node.id);
    const former = isSure && node.engine ? { engine: node.engine, listing: node.listing, isDoubted } : null;
    const configured = settings.engine === 'auto' ? null : settings.engine;
    const result = await this.#options.probe(node, configured, former);
    const loop = this.#loops.get(node.id);
    if (!loop || node.settings !== settings) return;
    const state = node.health.state;
    const changed = this.registry.applyProbe(node, result);
    if (wasDoubted) this.#doubted.delete(node.id);
    if (state !== node.health.state) this.#options.onState(node);
    this.#options.onFirstProbe(node.id);
    if (changed || wasDoubted) this.#options.onChange();
    this.#options.onTelemetry({
      index: node.index,
      generation: node.generation,
      readAt: node.readAt,
      ...node.load,
      nextProbeAt: node.readAt + this.#pauseMs(node),
    });
  }
}
