import type { EngineKind } from '../../fleet/glossary.ts';
import type { NodeSettings } from '../../fleet/settings.ts';
import type { EngineLoad, ProbedModel } from '../probe.ts';
import type { Health } from './health.ts';
import type { NodeAddress } from './node-address.ts';

export type ManagedBy = 'config' | 'api' | 'discovery' | 'agent';

/** A model of a node under both its names. */
export interface ListedModel {
  /** Canonical public name. */
  readonly model: string;
  readonly upstream: string;
  readonly ready: boolean;
  readonly slots: number | null;
  readonly sizeBytes: number | null;
  readonly contextTokens: number | null;
}

/** All that the control plane knows of one node. The registry alone changes it. */
export interface RegisteredNode {
  readonly index: number;
  readonly id: string;
  readonly managedBy: ManagedBy;
  /** Of a discovered node: `file` or `dns NAME`; null: at a port of this machine. */
  readonly foundBy: string | null;
  generation: number;
  settings: NodeSettings;
  address: NodeAddress;
  draining: boolean;
  health: Health;
  /** Null until an `auto` node was recognised. */
  engine: EngineKind | null;
  /** From the last probe that listed them; kept while the node is away. Null: never listed. */
  models: readonly ListedModel[] | null;
  /** What its engine listed at last, offered or not. Null: nothing since this control plane started. */
  listed: readonly ProbedModel[] | null;
  /** What the engine listed at last, to compare. */
  listing: string | null;
  slotsTold: number | null;
  load: EngineLoad;
  version: string | null;
  /** Finished ones. */
  probes: number;
  /** Epoch ms. */
  lastProbeAt: number | null;
  /** Monotonic ms. */
  readAt: number;
}
