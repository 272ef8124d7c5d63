import type { AttemptEnd } from '../../../src/fleet/settlement.ts';

/** What an engine is asked to compute. The answer's length is the world's secret. */
export interface Work {
  readonly model: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Prefix ids of the prompt, one per full block. */
  readonly blocks: readonly number[];
  /** Ids of the blocks that the answer completes, for a next turn that quotes it. */
  readonly answerBlocks: readonly number[];
  readonly blockTokens: number;
}

/** What the engine tells of a job. */
export interface JobEvents {
  /** It left the engine's queue; `cachedTokens` of its prompt were there. */
  started(cachedTokens: number): void;
  tokens(count: number): void;
  ended(): void;
  failed(end: AttemptEnd): void;
}

/** A job inside an engine. */
export interface Job {
  readonly work: Work;
  readonly events: JobEvents;
  /** Prompt tokens still to compute; after a preemption also what it had generated. */
  promptLeft: number;
  /** Tokens in memory. */
  context: number;
  emitted: number;
  hasStarted: boolean;
  isGone: boolean;
}

export function newJob(work: Work, events: JobEvents): Job {
  return { work, events, promptLeft: 0, context: 0, emitted: 0, hasStarted: false, isGone: false };
}
