import type { SeenRequest } from '../seen.ts';

/** A request of a workload before it has a place in time under load: what arrives, and what the world alone knows of it. */
export interface Offer {
  /** Ms from the workload's own beginning; only the ratios of gaps survive scaling to a load. */
  readonly atMs: number;
  readonly caller: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly maxTokens: number | null;
  readonly blocks: readonly number[];
  readonly answerBlocks: readonly number[];
  /** Requests of one chat have one number, so that they ask for one model. */
  readonly session: number;
  /** Comes on top of the load that was asked for: a hog's excess. */
  readonly isExtra: boolean;
}

export interface Workload {
  readonly name: string;
  readonly blockTokens: number;
  readonly callers: number;
  /** In order of arrival. */
  readonly offers: readonly Offer[];
}

/** A request with everything the world knows. Routers are given the `seen` part only. */
export interface SimRequest {
  readonly seen: SeenRequest;
  readonly outputTokens: number;
  readonly answerBlocks: readonly number[];
}
