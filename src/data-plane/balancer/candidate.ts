import type { Priority } from '../../fleet/glossary.ts';
import type { NodeOutlook } from './node-outlook.ts';
import type { Outlook } from './outlook.ts';
import type { Speed } from './speed.ts';

// What selection sees of a node: static facts from the snapshot. Live counts are never copied in here; they are read
// from the ledger at the moment of the pick, as is what was learned of it.

export interface Candidate {
  readonly node: number;
  readonly generation: number;
  /** The engine's own name of the model on this node. */
  readonly upstream: string;
  /** Slots of the node over all its models, as they were when the candidates were gathered. */
  readonly slots: number;
  /** Slots of this model on this node, or null where only the node's own limit holds. */
  readonly modelSlots: number | null;
  /** What is known of the node, and of this model's speed there; null under policies that learn nothing. */
  readonly learned: { readonly node: NodeOutlook; readonly speed: Speed } | null;
}

/** The live side of a pick. */
export interface LiveCounts {
  /** Leases open on a node. */
  inFlight(node: number): number;
}

/** The beginning of a prompt in blocks: equal leading hashes mean an equal prefix. */
export interface Prefix {
  readonly hashes: readonly number[];
  readonly blockTokens: number;
}

export const noPrefix: Prefix = { hashes: [], blockTokens: 1 };

/** What a pick knows of the request. */
export interface Wanted {
  readonly model: string;
  readonly claim: {
    /** Estimated. */
    readonly promptTokens: number;
    readonly maxTokens: number | null;
    readonly prefix: Prefix;
    readonly priority: Priority;
    /** Monotonic ms; null where it does not say. */
    readonly startBy: number | null;
  };
}

/** What a policy may use besides candidates and counts; unchanged until a lease is taken, so that asking twice gives the same answer. */
export interface PickTurn {
  /** 32 random bits. */
  readonly draw: number;
  /** The node of the last lease taken for this model, or -1. */
  readonly lastNode: number;
  /** Monotonic ms. */
  readonly now: number;
  readonly wanted: Wanted;
  /** Null under policies that learn nothing. */
  readonly outlook: Outlook | null;
}

/** In flight over slots, as if half a lease more were open; see `leastLoaded` for why. */
export function loadOf({ node, slots }: Candidate, counts: LiveCounts): number {
  return (counts.inFlight(node) + 0.5) / slots;
}
