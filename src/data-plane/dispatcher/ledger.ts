import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { Candidate, LiveCounts } from '../balancer/candidate.ts';
import type { Flight } from '../balancer/outlook.ts';
import type { Charge, NodeRef } from './ticket.ts';

// The live counters: leases by node index, and by node and model where an engine counts slots per model. An index is
// reused after a node is removed; each lease carries the generation it was taken under, so that a late release of the old
// node cannot take a slot from the new one.

export interface OpenLease extends NodeRef {
  readonly id: number;
  readonly model: string;
  /** Monotonic ms. */
  readonly takenAt: number;
  /** True if it is the one request by which a half-open breaker tries its node. */
  readonly trial: boolean;
  /** Null where nobody had to wait for it. */
  readonly charge: Charge | null;
  /** What is noted of it to learn from; null under policies that learn nothing. */
  readonly flight: Flight | null;
}

interface NodeCount {
  readonly generation: number;
  total: number;
  readonly byModel: Map<string, number>;
}

export class Ledger implements LiveCounts {
  /** By node index. */
  readonly #counts: (NodeCount | undefined)[] = [];
  readonly #open = new Map<number, OpenLease>();
  #lastId = 0;

  /** Adopts the generations of a snapshot; a node under a new generation starts at zero. */
  replaceSnapshot(snapshot: FleetSnapshot): void {
    for (const node of snapshot.nodes) {
      if (!node || this.#counts[node.index]?.generation === node.generation) continue;
      this.#counts[node.index] = { generation: node.generation, total: 0, byModel: new Map() };
    }
  }

  get openLeases(): number {
    return this.#open.size;
  }

  inFlight(node: number): number {
    return this.#counts[node]?.total ?? 0;
  }

  /** How many more leases for the model the node can bear; zero or less where it is full. */
  freeSlots({ node, slots, modelSlots, learned }: Candidate, model: string): number {
    const free = (learned?.node.limit.slots ?? slots) - this.inFlight(node);
    if (modelSlots === null) return free;
    return Math.min(free, modelSlots - (this.#counts[node]?.byModel.get(model) ?? 0));
  }

  take(
    { node, generation }: NodeRef,
    { model, trial, charge, flight }: Pick<OpenLease, 'model' | 'trial' | 'charge' | 'flight'>,
    now: number,
  ): OpenLease {
    this.#lastId += 1;
    const lease: OpenLease = { id: this.#lastId, node, generation, model, takenAt: now, trial, charge, flight };
    this.#open.set(lease.id, lease);
    this.#count(lease, 1);
    return lease;
  }

  /** Lets a lease's time count from `now`, unless it has ended. */
  restart(id: number, now: number): void {
    const lease = this.#open.get(id);
    if (lease) this.#open.set(id, { ...lease, takenAt: now });
  }

  find(id: number): OpenLease | undefined {
    return this.#open.get(id);
  }

  /** Ends a lease; undefined if it has ended before. */
  end(id: number): OpenLease | undefined {
    const lease = this.#open.get(id);
    if (!lease) return undefined;
    this.#open.delete(id);
    this.#count(lease, -1);
    return lease;
  }

  #count({ node, generation, model }: OpenLease, by: 1 | -1): void {
    const count = this.#counts[node];
    if (count?.generation !== generation) return;
    count.total += by;
    const ofModel = (count.byModel.get(model) ?? 0) + by;
    if (ofModel === 0) count.byModel.delete(model);
    else count.byModel.set(model, ofModel);
  }
}
