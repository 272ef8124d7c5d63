import type { EngineModel } from './engine/engine-model.ts';

/** A fleet and its troubles, as a fleet file describes it. */
export interface FleetModel {
  readonly name: string;
  /** One way between router and nodes. */
  readonly networkMs: number;
  readonly models: readonly string[];
  readonly mix: readonly { readonly model: string; readonly share: number }[];
  readonly nodes: readonly NodeModel[];
  readonly troubles: readonly Trouble[];
  readonly bursts: readonly Burst[];
}

export interface NodeModel {
  readonly name: string;
  readonly engine: EngineModel;
  /** Slots as the operator configured them in the router; null where he did not. */
  readonly declaredSlots: number | null;
}

/** Shares are of the run's length, from 0 to 1. */
export interface Trouble {
  readonly at: number;
  readonly lasts: number;
  readonly node: number;
  readonly kind: 'crash' | 'freeze' | 'slow';
  /** How many times as long everything takes while it is slow. */
  readonly factor: number;
}

export interface Burst {
  readonly at: number;
  readonly lasts: number;
  /** How many times the usual rate. */
  readonly times: number;
}
