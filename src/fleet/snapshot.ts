import type { EngineKind, NodeState, ProviderName } from './glossary.ts';
import type { KeyTerms } from './key-terms.ts';
import type { NodeTimeouts, NodeTls } from './settings.ts';

// The fleet as the control plane publishes it: immutable, replaced whole, plain data that survives structured cloning.
// Only what decides placement is here; numbers that change by themselves (load, speeds) are telemetry, so that they
// invalidate nothing.

export interface FleetSnapshot {
  /** Grows with every publication, across restarts of the control plane too. */
  readonly version: number;
  /** True once the first probe of every configured node has finished, or 5 s have passed. Until then an unknown model may still turn up. */
  readonly settled: boolean;
  /** By node index; null where an index is free. */
  readonly nodes: readonly (NodeSnapshot | null)[];
  /** By canonical public name (`canonicalModel`). */
  readonly models: ReadonlyMap<string, ModelSnapshot>;
  /** By the hex SHA-256 of the key. */
  readonly keys: ReadonlyMap<string, KeySnapshot>;
}

export interface NodeSnapshot {
  /** Small and reused; together with `generation` it names this registration. */
  readonly index: number;
  readonly generation: number;
  readonly id: string;
  readonly name: string;
  /** Scheme, host, port and base path, without a trailing slash and without `/v1`. */
  readonly baseUrl: string;
  /** Set where its agent carries what is sent to it: dialled in place of the URL's host and port. */
  readonly socketPath?: string;
  readonly engine: EngineKind;
  /** Set for a cloud provider. */
  readonly provider?: ProviderName;
  readonly state: NodeState;
  /** Takes no new requests; those it has run on. */
  readonly draining: boolean;
  /** Slots over all its models, at least 1. */
  readonly slots: number;
  /** True where neither the operator nor the engine said how many: a first guess, from which more is learned. */
  readonly slotsGuessed?: boolean;
  readonly apiKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: NodeTls | null;
  readonly timeouts: NodeTimeouts;
  /** Counts finished probes; a doubt raised by a request is settled by a later probe. */
  readonly probes: number;
}

export interface ModelSnapshot {
  /** The canonical public name, or the prefix of a provider. */
  readonly name: string;
  /** It stands for every model whose name begins with `name`; an offer's `upstream` is then empty: what follows is the provider's own name. */
  readonly isPrefix?: true;
  /** Who offers it, in whatever state the node is. */
  readonly offers: readonly ModelOffer[];
  /** Of the first node that tells them, for clients' lists. Absent: nobody does. */
  readonly files?: ModelFiles;
  /** Epoch ms when the model was first seen; `created` in OpenAI's list. */
  readonly firstSeenAt: number;
}

/** What an engine tells of a model's files; null where none does. */
export interface ModelFiles {
  readonly sizeBytes: number | null;
  readonly quantization: string | null;
  /** Hex SHA-256; the same files have the same. */
  readonly digest: string | null;
}

export interface ModelOffer {
  readonly node: number;
  /** The engine's own name for it. */
  readonly upstream: string;
  /** False while the engine says that it is still loading this model. A model on disk that loads on demand is ready. */
  readonly ready: boolean;
  /** Slots of this model on this node where the engine counts so (Ollama); null: only the node's own limit. */
  readonly slots: number | null;
}

/** Its models are canonical public names. */
export interface KeySnapshot extends KeyTerms {
  readonly id: string;
}

export const emptySnapshot: FleetSnapshot = {
  version: 0,
  settled: false,
  nodes: [],
  models: new Map(),
  keys: new Map(),
};
