import type { Job } from './job.ts';

/** An engine's key-value memory: what of a prompt is already there, and whether there is room for the rest. */
export interface Memory {
  /** Takes room for a job's prompt. Returns the leading tokens that need not be computed; null where there is no room now. */
  enter(job: Job): number | null;
  /** The prompt is computed: from now on others may use it. */
  computed(job: Job): void;
  /** Tokens that running jobs may still grow by, all together. */
  room(): number;
  /** A running job generated so many tokens. */
  grow(job: Job, tokens: number): void;
  /** The job is gone; `isWhole` where it ran to its end, so that its answer may be used as a prefix too. */
  leave(job: Job, isWhole: boolean): void;
  /** Share held by running jobs, 0 to 1. */
  use(): number;
  clear(): void;
}
