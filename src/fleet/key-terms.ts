import type { Priority } from './glossary.ts';

/** What a client key allows: as it is declared or created, and as requests are held to it. */
export interface KeyTerms {
  readonly label: string;
  /** Epoch ms, or null for never. */
  readonly expiresAt: number | null;
  /** Public model names, or null for all. */
  readonly models: readonly string[] | null;
  readonly weight: number;
  readonly maxConcurrent: number | null;
  /** Requests per minute, or null for no limit. */
  readonly ratePerMinute: number | null;
  /** The most urgent that its requests may be. */
  readonly maxPriority: Priority;
  /** Ms; the longest deadline of its requests, which those have that name none. Null for no limit. */
  readonly maxDeadlineMs: number | null;
  /** Ollama's commands that change a node are forwarded for it. */
  readonly mayManage: boolean;
  /** A stream of its that breaks may go on at another node, where the router's settings say so too. */
  readonly resume: boolean;
}
