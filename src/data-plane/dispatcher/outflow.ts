import { emptySnapshot, type FleetSnapshot } from '../../fleet/snapshot.ts';
import { isInGroup } from '../spoken.ts';
import { DrainRate, MOST_SINGLE, whenFreed, whenFreedAt } from './retry-after.ts';
import type { NodeRef } from './ticket.ts';

// How fast slots come free for those that wait, over all nodes that let any go. A node's slots are shared by the models that are waited
// for there as their waiters are in number.
//
// A crowd asks the same again and again, and nothing that it is told is exact to the millisecond. So a look at all nodes is kept for a
// moment, and until about as many leases have begun or ended as it looked at nodes: what it costs is spread over as many.

/** How many wait, by model. */
export type Waiting = ReadonlyMap<string, { readonly size: number }>;

const KEPT_MS = 10;
/** In a large fleet one lease more or less changes little, so a look may be as old as it has nodes, divided by so many, in ms. */
const NODES_PER_MS = 50;

interface Look {
  readonly at: number;
  /** Leases begun and ended before it. */
  readonly changes: number;
  /** Nodes that let slots go, and for what share of those that wait for one there. */
  readonly shares: readonly (readonly [node: number, share: number])[];
  readonly perMs: number;
  /** By how many are to come free. */
  readonly afterMs: Map<number, number>;
}

const nothing: Look = { at: -Infinity, changes: 0, shares: [], perMs: 0, afterMs: new Map() };

export class Outflow {
  readonly #rate = new DrainRate();
  /** By model; null for all that are waited for. */
  readonly #looks = new Map<string | null, Look>();
  #changes = 0;
  #snapshot: FleetSnapshot = emptySnapshot;
  /** Models offered by each node, by node index; each once, whatever further names it is placed under. */
  #modelsOf: readonly (readonly string[])[] = [];

  replaceSnapshot(snapshot: FleetSnapshot, modelsOf: readonly (readonly string[])[]): void {
    this.#snapshot = snapshot;
    this.#modelsOf = modelsOf;
    this.#looks.clear();
  }

  /** True once a lease has ended that served a request. */
  get hasServed(): boolean {
    return this.#rate.hasServed;
  }

  /** A lease was taken. */
  began(node: NodeRef, now: number): void {
    this.#changes += 1;
    this.#rate.began(node, now);
  }

  /** A lease taken at `takenAt` ended; `isTypical` where it served a request. */
  ended(node: NodeRef, takenAt: number, now: number, isTypical: boolean): void {
    this.#changes += 1;
    this.#rate.ended(node, takenAt, now, isTypical);
  }

  /** Slots of one node that come free per ms. */
  perMsOf(node: number, now: number): number {
    return this.#rate.perMs(node, now);
  }

  /** Slots per ms that come free for one of the waiting models, or for all of them. */
  perMs(of: string | null, waiting: Waiting, now: number): number {
    return this.#look(of, waiting, now).perMs;
  }

  /** Ms until `count` of the slots that `perMs` counts have come free; half of the time it is later. Null where none does. */
  afterMs(count: number, of: string | null, waiting: Waiting, now: number): number | null {
    const look = this.#look(of, waiting, now);
    if (look.shares.length === 0) return null;
    let ms = look.afterMs.get(count);
    if (ms === undefined) {
      ms = this.#whenFreed(count, look, now);
      look.afterMs.set(count, ms);
    }
    return ms;
  }

  #whenFreed(count: number, { shares, perMs }: Look, now: number): number {
    let open = 0;
    for (const [node] of shares) open += this.#rate.open(node);
    if (open > MOST_SINGLE) return whenFreedAt(count, perMs);
    return whenFreed(count, (ms) => {
      let [ended, hazard] = [0, 0];
      for (const [node, share] of shares) {
        const expected = this.#rate.endings(node, ms, now);
        ended += share * expected.count;
        hazard += share * expected.hazard;
      }
      return { count: ended, hazard };
    });
  }

  #look(of: string | null, waiting: Waiting, now: number): Look {
    const kept = this.#looks.get(of);
    if (kept && this.#isFresh(kept, now)) return kept;
    const look = this.#lookAt(of, waiting, now);
    // While nothing is to be seen the next slot taken is news.
    if (look.shares.length > 0) this.#looks.set(of, look);
    return look;
  }

  #isFresh({ at, changes, shares }: Look, now: number): boolean {
    const keptMs = Math.max(KEPT_MS, this.#snapshot.nodes.length / NODES_PER_MS);
    return now - at < keptMs && this.#changes - changes < shares.length;
  }

  #lookAt(of: string | null, waiting: Waiting, now: number): Look {
    if (of !== null && (isInGroup(of) || !waiting.has(of))) return nothing;
    const shares: (readonly [number, number])[] = [];
    let perMs = 0;
    const nodes = of === null ? this.#snapshot.nodes.keys() : this.#offering(of);
    for (const node of nodes) {
      const nodePerMs = this.#rate.perMs(node, now);
      if (nodePerMs === 0 || !this.#snapshot.nodes[node]) continue;
      const share = this.#shareOf(node, of, waiting);
      if (share === 0) continue;
      shares.push([node, share]);
      perMs += share * nodePerMs;
    }
    return { at: now, changes: this.#changes, shares, perMs, afterMs: new Map() };
  }

  #shareOf(node: number, of: string | null, waiting: Waiting): number {
    let all = 0;
    let own = 0;
    for (const model of this.#modelsOf[node] ?? []) {
      const size = waiting.get(model)?.size ?? 0;
      all += size;
      if (of === null || model === of) own += size;
    }
    return own > 0 ? own / all : 0;
  }

  #offering(model: string): readonly number[] {
    return this.#snapshot.models.get(model)?.offers.map(({ node }) => node) ?? [];
  }
}
