import type { Target } from '../far-side/target.ts';

/** How the fleet behind a candidate is limited in a part. */
export interface Scene {
  /** Places per node; routers that know no such limit ignore it. */
  readonly slotsPerNode: number;
  /** Places in the waiting room, of routers that have one. */
  readonly maxWaiters: number;
  /** Answers every request with a refusal, of proxies that can do nothing better: the floor of refusing. */
  readonly refuses: boolean;
}

export const spacious: Scene = { slotsPerNode: 8192, maxWaiters: 4096, refuses: false };

/** What is kept of every request; the counts of one run must all rise by the requests sent. */
export interface Records {
  /** Resolves when `count` more than `before` are recorded everywhere, or after a time-out; with what differs, or null. */
  settled(before: RecordCounts, count: number): Promise<string | null>;
  now(): Promise<RecordCounts>;
}

export interface RecordCounts {
  readonly rows: number;
  readonly lines: number;
  readonly counted: number;
}

export interface Running extends AsyncDisposable {
  readonly target: Target;
  /** From starting its process to its first good answer, ms. */
  readonly startMs: number;
  readonly records?: Records;
  /** Places of its waiting room that are taken. */
  readonly waiters?: () => Promise<number>;
}

export interface Candidate {
  readonly name: string;
  /** A sentence for the report's list: what it is. */
  readonly kind: 'harness' | 'weir' | 'proxy' | 'router';
  readonly version: string;
  /** As it was given to it, for the report. */
  configuration(): string;
  start(nodes: readonly string[], scene: Scene): Promise<Running>;
}

/** A rival that cannot be measured here. */
export interface Absent {
  readonly name: string;
  readonly absent: string;
}
