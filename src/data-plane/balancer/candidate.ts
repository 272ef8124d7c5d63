// What selection sees of a node: static facts from the snapshot. Live counts are never copied in here; they are read
// from the ledger at the moment of the pick.

export interface Candidate {
  readonly node: number;
  readonly generation: number;
  /** The engine's own name of the model on this node. */
  readonly upstream: string;
  /** Slots of the node over all its models. */
  readonly slots: number;
  /** Slots of this model on this node, or null where only the node's own limit holds. */
  readonly modelSlots: number | null;
}

/** The live side of a pick. */
export interface LiveCounts {
  /** Leases open on a node. */
  inFlight(node: number): number;
}

/** In flight over slots, as if half a lease more were open; see `leastLoaded` for why. */
export function loadOf({ node, slots }: Candidate, counts: LiveCounts): number {
  return (counts.inFlight(node) + 0.5) / slots;
}
