import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import { type Candidate, type LiveCounts, noPrefix, type PickTurn, type Wanted } from './candidate.ts';
import type { Outlook } from './outlook.ts';
import type { Policy } from './policies/policy.ts';

// A short-lived cache of a selection's *inputs*, never of its output. A cached winner herds: everyone of the next ten
// milliseconds lands on one node (simulated on 16 nodes with 4 slots at 80 % load, the 99th percentile of the wait was
// 648 ms with a cached winner, 208 ms with cached candidates and live counts). So what is kept per model, for
// `ttlMs` or until the snapshot changes, are the eligible nodes and a random draw for ties; the live counts are read at
// every pick. Asked twice with nothing taken in between it returns the same node; once a lease was taken the draw is
// new and the count is higher, so the next caller goes elsewhere.
//
// Of a very large fleet a pick looks at a sample, spread evenly over it from a place that is drawn, and at those that should have the
// prompt cached; at all of them only where the sample has none that is open. The best of 48 is hardly worse than the best of 10 000.

/** All are looked at up to so many. */
const MOST_CANDIDATES = 256;
/** Of more, so many. */
const SAMPLE = 48;
/** Of those that should have the prompt cached. */
const MOST_HOLDERS = 16;
/** A large fleet's candidates are kept for longer: a ms for each so many. */
const NODES_PER_MS = 20;

interface Entry extends PickTurn {
  readonly candidates: readonly Candidate[];
  /** The same by node, once that was asked for. */
  byNode: (Candidate | undefined)[] | null;
  readonly builtAt: number;
  draw: number;
  lastNode: number;
  now: number;
  wanted: Wanted;
}

const nobody: Wanted = {
  model: '',
  claim: { promptTokens: 0, maxTokens: null, prefix: noPrefix, priority: 'normal', startBy: null },
};

export class CachedSelection {
  readonly #ttlMs: number;
  readonly #policy: Policy;
  readonly #random: () => number;
  readonly #outlook: Outlook | null;
  readonly #entries = new Map<string, Entry>();
  /** Lent to the policy at each pick, so that a pick allocates nothing. */
  readonly #open: Candidate[] = [];
  #snapshot: FleetSnapshot;
  #wereAllOpen = false;

  constructor(
    snapshot: FleetSnapshot,
    policy: Policy,
    ttlMs: number,
    random: () => number,
    outlook: Outlook | null = null,
  ) {
    this.#snapshot = snapshot;
    this.#policy = policy;
    this.#ttlMs = ttlMs;
    this.#random = random;
    this.#outlook = outlook;
  }

  /** Forgets every entry's candidates; who was chosen last is kept for `round-robin`. */
  replaceSnapshot(snapshot: FleetSnapshot): void {
    this.#snapshot = snapshot;
    for (const [model, entry] of this.#entries) {
      if (snapshot.models.has(model))
        this.#entries.set(model, { ...entry, candidates: [], byNode: null, builtAt: -Infinity });
      else this.#entries.delete(model);
    }
  }

  /** The nodes that may serve the model now as far as the control plane knows: ready, not draining, the model loaded or loadable. */
  candidates(model: string, now: number): readonly Candidate[] {
    return this.#entry(model, now).candidates;
  }

  /** The node among them, or null. */
  candidateOn(node: number, model: string, now: number): Candidate | null {
    return onNode(this.#entry(model, now), node);
  }

  /**
   * Picks a node among those for which `isOpen` holds (a free slot, not tried before, breaker closed …), or null. `among`: all nodes that
   * may be open, where these are few. The caller takes the lease in the same synchronous step and says so with `taken`.
   */
  selectNodeCached(
    model: string,
    counts: LiveCounts,
    now: number,
    isOpen: (candidate: Candidate) => boolean,
    wanted: Wanted = nobody,
    among: ReadonlySet<number> | null = null,
  ): Candidate | null {
    const entry = this.#entry(model, now);
    entry.now = now;
    entry.wanted = wanted;
    const open = this.#open;
    open.length = 0;
    const { candidates } = entry;
    let looked = candidates.length;
    if (among && among.size < looked) {
      for (const node of among) {
        const candidate = onNode(entry, node);
        if (candidate && isOpen(candidate)) open.push(candidate);
      }
    } else {
      if (looked > MOST_CANDIDATES) looked = this.#sample(entry, isOpen);
      if (open.length === 0) for (const candidate of candidates) if (isOpen(candidate)) open.push(candidate);
    }
    this.#wereAllOpen = open.length === looked;
    return this.#policy(open, counts, entry);
  }

  /** Those of a sample that are open; returns how many were looked at. */
  #sample(entry: Entry, isOpen: (candidate: Candidate) => boolean): number {
    const { candidates, draw, wanted } = entry;
    const step = Math.floor(candidates.length / SAMPLE);
    const holders = this.#outlook?.holdersOf(wanted.claim.prefix) ?? [];
    const most = Math.min(MOST_HOLDERS, holders.length);
    let at = draw % candidates.length;
    for (let nth = 0; nth < SAMPLE + most; nth += 1) {
      const candidate = nth < SAMPLE ? candidates[at] : onNode(entry, holders[nth - SAMPLE] ?? -1);
      if (candidate && isOpen(candidate)) this.#open.push(candidate);
      at += step;
      if (at >= candidates.length) at -= candidates.length;
    }
    return SAMPLE + most;
  }

  /** Whether the last selection could choose among all candidates. */
  get wereAllOpen(): boolean {
    return this.#wereAllOpen;
  }

  /** A lease was taken on the candidate: the next tie is drawn anew. */
  taken(model: string, candidate: Candidate): void {
    const entry = this.#entries.get(model);
    if (!entry) return;
    entry.draw = this.#drawBits();
    entry.lastNode = candidate.node;
  }

  #entry(model: string, now: number): Entry {
    const kept = this.#entries.get(model);
    if (kept && now - kept.builtAt < Math.max(this.#ttlMs, kept.candidates.length / NODES_PER_MS)) return kept;
    const entry: Entry = {
      candidates: eligible(this.#snapshot, model, this.#outlook),
      byNode: null,
      builtAt: now,
      draw: this.#drawBits(),
      lastNode: kept?.lastNode ?? -1,
      now,
      wanted: nobody,
      outlook: this.#outlook,
    };
    // Only models the fleet offers are kept, or a client could grow the map by inventing names.
    if (this.#snapshot.models.has(model)) this.#entries.set(model, entry);
    return entry;
  }

  #drawBits(): number {
    return Math.floor(this.#random() * 0x1_0000_0000);
  }
}

function onNode(entry: Entry, node: number): Candidate | null {
  if (!entry.byNode) {
    entry.byNode = [];
    for (const candidate of entry.candidates) entry.byNode[candidate.node] = candidate;
  }
  return entry.byNode[node] ?? null;
}

function eligible(snapshot: FleetSnapshot, model: string, outlook: Outlook | null): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const offer of snapshot.models.get(model)?.offers ?? []) {
    const node = snapshot.nodes[offer.node];
    if (!node || node.state !== 'ready' || node.draining || !offer.ready) continue;
    const { index, generation } = node;
    const known = outlook?.node(index, generation) ?? null;
    candidates.push({
      node: index,
      generation,
      upstream: offer.upstream,
      slots: known ? known.limit.slots : node.slots,
      modelSlots: offer.slots,
      learned: known && { node: known, speed: known.speedOf(model) },
    });
  }
  return candidates;
}
