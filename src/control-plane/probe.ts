import type { EngineKind } from '../fleet/glossary.ts';

// What a probe of a node can tell: the words between `engines/` (which ask) and `nodes/` (which judge). A number that the
// engine did not tell is null, never 0: a balancer must not take silence for idleness.

export interface ProbedModel {
  /** The engine's own name. */
  readonly name: string;
  /** False only while the engine says that it is loading this model now. */
  readonly ready: boolean;
  readonly slots: number | null;
  readonly sizeBytes: number | null;
  readonly contextTokens: number | null;
  /** As the engine's list says; another owner is another engine. */
  readonly ownedBy?: string;
  /** In memory now; absent: the engine does not say. */
  readonly isLoaded?: boolean;
  /** Such as `Q4_K_M`; absent: the engine does not say. */
  readonly quantization?: string;
  /** The same for the same files on any node; absent: the engine does not say. */
  readonly digest?: string;
}

export interface EngineLoad {
  readonly running: number | null;
  readonly waiting: number | null;
  /** 0 to 1. */
  readonly cacheUse: number | null;
}

export const unknownLoad: EngineLoad = { running: null, waiting: null, cacheUse: null };

/** An engine that answered as one. */
export interface ProbeAnswer {
  readonly kind: 'answered';
  readonly engine: EngineKind;
  readonly state: 'ready' | 'loading';
  /** Null where it did not list its models this time. */
  readonly models: readonly ProbedModel[] | null;
  readonly slots: number | null;
  readonly load: EngineLoad;
  readonly version: string | null;
}

export interface ProbeFailure {
  /**
   * `unauthorized`: 401 or 403. `nonsense`: something answered, but not as an engine. `unreachable`: no answer. `silent`: not asked,
   * because its agent has not been heard of.
   */
  readonly kind: 'unauthorized' | 'nonsense' | 'unreachable' | 'silent';
  /** For administrators: may name addresses. */
  readonly detail: string;
}

/** What a node was recognised as before. */
export interface Former {
  readonly engine: EngineKind;
  /** Of its last list; null: it never listed. */
  readonly listing: string | null;
  /** Recognise it again whatever it answers. */
  readonly isDoubted: boolean;
}

/** What an engine listed, as a text to compare with what it lists later; null where it listed nothing. */
export function listingOf(models: readonly ProbedModel[] | null): string | null {
  if (models === null) return null;
  return JSON.stringify(models.map(({ name, ownedBy = '' }) => `${name} ${ownedBy}`).toSorted());
}

export type ProbeResult = ProbeAnswer | ProbeFailure;
