import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { Candidate, LiveCounts } from '../balancer/candidate.ts';

// The live counters: leases by node index, and by node and model where an engine counts slots per model. An index is
// reused after a node is removed; each lease carries the generation it was taken under, so that a late release of the old
// node cannot take a slot from the new one.

export interface OpenLease {
  readonly id: number;
  readonly node: number;
  readonly generation: number;
  readonly model: string;
  readonly takenAt: number;
  /** True if it is the one request by which a half-open breaker tries its node. */
  readonly trial: boolean;
}

export class Ledger implements LiveCounts {
  #inFlight = new Int32Array(16);
  #generation = new Int32Array(16).fill(-1);
  readonly #byModel = new Map<string, number>();
  readonly #open = new Map<number, OpenLease>();
  #lastId = 0;

  /** Adopts the generations of a snapshot; a node under a new generation starts at zero. */
  replaceSnapshot(snapshot: FleetSnapshot): void {
    this.#grow(snapshot.nodes.length);
    for (const node of snapshot.nodes) {
      if (!node || this.#generation[node.index] === node.generation) continue;
      this.#generation[node.index] = node.generation;
      this.#inFlight[node.index] = 0;
      for (const key of this.#byModel.keys()) {
        if (key.startsWith(`${node.index} `)) this.#byModel.delete(key);
      }
    }
  }

  get openLeases(): number {
    return this.#open.size;
  }

  inFlight(node: number): number {
    return this.#inFlight[node] ?? 0;
  }

  /** True where the node, and the model on it, have a slot to give. */
  hasFreeSlot(candidate: Candidate, model: string): boolean {
    if (this.inFlight(candidate.node) >= candidate.slots) return false;
    return candidate.modelSlots === null || this.#ofModel(candidate.node, model) < candidate.modelSlots;
  }

  take(candidate: Candidate, model: string, trial: boolean, now: number): OpenLease {
    const { node, generation } = candidate;
    this.#lastId += 1;
    const lease: OpenLease = { id: this.#lastId, node, generation, model, takenAt: now, trial };
    this.#open.set(lease.id, lease);
    this.#count(lease, 1);
    return lease;
  }

  /** Ends a lease; undefined if it has ended before. */
  end(id: number): OpenLease | undefined {
    const lease = this.#open.get(id);
    if (!lease) return undefined;
    this.#open.delete(id);
    if (this.isCurrent(lease)) this.#count(lease, -1);
    return lease;
  }

  /** False for a lease whose node has been removed since. */
  isCurrent(lease: { readonly node: number; readonly generation: number }): boolean {
    return this.#generation[lease.node] === lease.generation;
  }

  #count(lease: OpenLease, by: 1 | -1): void {
    this.#inFlight[lease.node] = this.inFlight(lease.node) + by;
    const key = `${lease.node} ${lease.model}`;
    const count = this.#ofModel(lease.node, lease.model) + by;
    if (count === 0) this.#byModel.delete(key);
    else this.#byModel.set(key, count);
  }

  #ofModel(node: number, model: string): number {
    return this.#byModel.get(`${node} ${model}`) ?? 0;
  }

  #grow(size: number): void {
    if (size <= this.#inFlight.length) return;
    const inFlight = new Int32Array(size * 2);
    const generation = new Int32Array(size * 2).fill(-1);
    inFlight.set(this.#inFlight);
    generation.set(this.#generation);
    this.#inFlight = inFlight;
    this.#generation = generation;
  }
}
