import type { BreakerState } from '../balancer/breaker.ts';

// The dispatcher's live numbers, for gauges and audits. When all is quiet every count is zero.

export interface DispatcherCounts {
  readonly openLeases: number;
  readonly waiters: number;
  readonly waitingBytes: number;
  readonly retryBudget: number;
  readonly models: readonly { readonly model: string; readonly waiters: number }[];
  readonly nodes: readonly NodeCounts[];
}

export interface NodeCounts {
  readonly index: number;
  readonly generation: number;
  readonly slots: number;
  readonly taken: number;
  readonly breaker: BreakerState;
  readonly cooling: boolean;
}
