import type { Candidate, Running, Scene } from '../candidates/candidate.ts';
import type { Seen } from '../far-side/target.ts';
import type { Stub } from '../far-side/stub.ts';

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** Factor on all lengths of time. */
  readonly scale: number;
}

/** One workload. */
export interface Part {
  readonly name: string;
  readonly title: string;
  /** What CPU time is divided by. */
  readonly unit: 'request' | 'event' | 'refusal';
  readonly scene: Scene;
  /** Who takes part, by kind or name. */
  readonly takes: (candidate: Candidate) => boolean;
  /** Asked for by this name too, with others of its kind. */
  readonly group?: string;
  /** How long the processes rest before their idle memory is read, ms; half a second unless it says otherwise. */
  readonly restMs?: number;
  /** Fewer than asked where a round is long. */
  readonly mostRounds?: number;
  /** Whether work put off until after the window counts, as it does where every answer is in the window. */
  readonly countsSettling: boolean;
  /** Once for each candidate that runs; undone by the returned function. */
  readonly before?: (running: Running, stub: Stub) => Promise<() => void>;
  readonly load: (running: Running, stub: Stub, effort: Effort) => Promise<Seen>;
}

export interface Round {
  readonly seen: Seen;
  readonly perSecond: number;
  /** CPU time of the whole process per unit, µs. */
  readonly cpuMicros: number;
  /** The same by thread, over the whole round, warm-up included; empty where it is not known. */
  readonly cpuMicrosByThread: Readonly<Record<string, number>>;
  /** The larger of the shares of both cores that others used meanwhile. */
  readonly foreignShare: number;
  /** Why this round does not count, or null. */
  readonly flaw: string | null;
}
