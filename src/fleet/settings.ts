import type { EngineKind, PolicyName, ProviderName } from './glossary.ts';
import type { KeyTerms } from './key-terms.ts';

// The configuration after validation: what `config/` produces and both planes read. All durations are milliseconds,
// all sizes bytes. `docs/configuration.md` describes the same values under the names users write.

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Paths of PEM files for a listener of ours. */
export interface ListenerTls {
  readonly cert: string;
  readonly key: string;
}

export interface Timeouts {
  readonly connectMs: number;
  /** From sending the request to the first byte of the answer's body. */
  readonly firstByteMs: number;
  /** Longest silence of a node within an answer, and longest time a client may take nothing of one; then it is cut. */
  readonly betweenBytesMs: number;
  /** For a client to send its headers, and then its whole body. Not for taking its answer: that is `betweenBytesMs`. */
  readonly clientBodyMs: number;
  /** Silence after which a waiting stream is sent what keeps its connection open, and again; 0 for never. */
  readonly keepAliveMs: number;
  readonly shutdownMs: number;
}

/** The phases that may be set per node; per model all but the first. */
export type NodeTimeouts = Partial<Pick<Timeouts, 'connectMs' | 'firstByteMs' | 'betweenBytesMs'>>;

/** TLS towards a node. PEM text, not paths. */
export interface NodeTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False accepts any certificate. Default true. */
  readonly verify?: boolean;
}

/** A node as an operator describes it, in the file, by flag or through the admin API. */
export interface NodeSettings {
  readonly name: string;
  /** As written; may end in `/v1` or lie under a base path. */
  readonly url: string;
  readonly engine: EngineKind | 'auto';
  readonly maxConcurrent?: number;
  readonly apiKey?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Public name → the engine's own name. Absent: the node's own list is offered. */
  readonly models?: Readonly<Record<string, string>>;
  readonly timeouts?: NodeTimeouts;
  readonly tls?: NodeTls;
  /** Groups it belongs to, for distribution. */
  readonly tags?: readonly string[];
  /** What its models may take together; absent: not known. */
  readonly memoryBytes?: number;
  /** Where its log is read as text; absent: it offers none. */
  readonly logsUrl?: string;
  /** Its agent carries what is sent to it: `url` is where that reaches it, and it is dialled at the agent's tunnel. */
  readonly viaTunnel?: boolean;
  /** Set for a cloud provider: it serves every model whose name begins with its prefix, and `models` are those that lists show. */
  readonly provider?: ProviderName;
}

/** A name in DNS of which every address is a node. */
export interface DnsSource {
  /** Unique among them. */
  readonly id: string;
  readonly name: string;
  /** Null: hosts and ports are those of the name's SRV records. */
  readonly port: number | null;
  /** What all of its nodes have in common. */
  readonly node: Omit<NodeSettings, 'name' | 'url'>;
}

/** A model that every node with one of the tags is to have; `tags` null: every node. */
export interface DistributionRule {
  /** As the engine's own library calls it. */
  readonly model: string;
  readonly tags: readonly string[] | null;
}

/** A name for several models. */
export interface Alias {
  /** Canonical; names no provider's model. */
  readonly name: string;
  /** `in-order`: each is there for when those before it cannot serve. `weighted`: requests are split, and the others stand in. */
  readonly how: 'in-order' | 'weighted';
  /** The longest that a model is waited for while others are there to stand in; null: an even share of the request's time. */
  readonly waitMs: number | null;
  /** At least one; none of them is an alias. */
  readonly targets: readonly AliasTarget[];
}

export interface AliasTarget {
  /** As written. */
  readonly model: string;
  /** Its share among the others'; above 0. */
  readonly weight: number;
}

/** A client key, as declared in the file or created through the admin API (there without the secret). */
export interface KeySettings extends KeyTerms {
  /** Hex SHA-256 of the key. The key itself is never kept. */
  readonly hash: string;
}

export interface Settings {
  readonly listen: Address;
  /** How many threads relay requests. */
  readonly threads: number;
  readonly tls: ListenerTls | null;
  readonly admin: {
    readonly listen: Address;
    readonly tls: ListenerTls | null;
    /** From `WEIR_ADMIN_TOKEN`; null: the one kept in `dataDir`. */
    readonly token: string | null;
  };
  /** Where `weir agent` joins the fleet. */
  readonly agents: {
    /** Null: nowhere. */
    readonly listen: Address | null;
    readonly tls: ListenerTls | null;
    /** Time between two heartbeats. */
    readonly heartbeatMs: number;
    /** Silence after which an agent's node counts as gone. */
    readonly timeoutMs: number;
  };
  readonly dataDir: string;
  readonly insecure: boolean;
  readonly auth: {
    readonly clients: 'auto' | 'required' | 'off';
    readonly keys: readonly KeySettings[];
    /** Addresses or CIDR ranges whose `X-Forwarded-For` is believed. */
    readonly trustedProxies: readonly string[];
  };
  /** Origins of the web pages that may use the router from a browser, as browsers write them; `*` for all. */
  readonly cors: { readonly origins: readonly string[] };
  readonly discovery: {
    /** On this machine's ports. */
    readonly enabled: boolean;
    readonly dns: readonly DnsSource[];
    /** Absolute path; null without one. */
    readonly file: string | null;
    /** What that file holds. */
    readonly nodes: readonly NodeSettings[];
  };
  readonly health: {
    readonly intervalMs: number;
    readonly timeoutMs: number;
  };
  readonly queue: {
    readonly maxWaiters: number;
    readonly timeoutMs: number;
    readonly maxBytes: number;
    /** The share of `maxWaiters` that one model may hold where the fleet serves more than one. */
    readonly maxShare: number;
    /** The share of `maxWaiters` above 80 % that requests of high priority may use; 0 to 0.2. */
    readonly reserved: number;
  };
  readonly pool: {
    readonly maxIdlePerNode: number;
    readonly idleTimeoutMs: number;
    readonly tcpKeepAliveMs: number;
  };
  readonly selection: { readonly policy: PolicyName; readonly cacheTtlMs: number };
  readonly timeouts: Timeouts;
  /** By canonical public name; above the general ones, below those of a node. */
  readonly modelTimeouts: Readonly<Record<string, NodeTimeouts>>;
  /** `resume`: a stream of plain text that breaks goes on at another node. */
  readonly streams: { readonly resume: boolean };
  readonly limits: { readonly bodyBytes: number };
  readonly history: { readonly days: number; readonly maxRows: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
  readonly catalogue: {
    /** Of a model hub with Hugging Face's API. */
    readonly url: string;
    readonly cacheTtlMs: number;
  };
  /** How many models are pulled at the same time, over all nodes. */
  readonly tasks: { readonly maxPulls: number };
  readonly distribution: readonly DistributionRule[];
  /** The cloud providers among them. */
  readonly nodes: readonly NodeSettings[];
  readonly aliases: readonly Alias[];
}
