// Numbers that change by themselves. The control plane overwrites them in place; nothing is invalidated by them.

/** What an engine last said of its own load; null where it does not say. */
export interface NodeTelemetry {
  readonly index: number;
  readonly generation: number;
  /** Monotonic ms (see lib/clock.ts) when it was read. */
  readonly readAt: number;
  /** Requests the engine is computing, ours and others'. */
  readonly running: number | null;
  /** Requests waiting inside the engine. */
  readonly waiting: number | null;
  /** Share of its key-value cache in use, 0 to 1. */
  readonly cacheUse: number | null;
  /** Monotonic ms of the next probe; the Retry-After of `no_ready_node`. */
  readonly nextProbeAt: number;
}

/** What the data plane counts, read on demand for `/metrics`, `/api/stats` and the nodes' list. */
export interface Gauges {
  readonly openLeases: number;
  readonly waiters: number;
  readonly waitingBytes: number;
  /** Requests between their arrival and their settlement. */
  readonly openRequests: number;
  readonly draining: boolean;
  /** Settlements dropped because the control plane did not take them. */
  readonly settlementsDropped: number;
  readonly retryBudget: number;
  readonly nodes: readonly NodeGauges[];
  readonly models: readonly { readonly model: string; readonly waiters: number }[];
}

export interface NodeGauges {
  readonly index: number;
  readonly generation: number;
  readonly slots: number;
  readonly taken: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly cooling: boolean;
  readonly socketsIdle: number;
  readonly socketsBusy: number;
  readonly socketsOpened: number;
}
