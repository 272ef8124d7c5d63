import { emptySnapshot, type FleetSnapshot, type NodeSnapshot } from '../../fleet/snapshot.ts';
import type { Settings } from '../../fleet/settings.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import { CachedSelection } from '../balancer/cached-selection.ts';
import type { Candidate } from '../balancer/candidate.ts';
import { Outlook } from '../balancer/outlook.ts';
import { policyByName } from '../balancer/policies/policy.ts';
import { Standing } from '../balancer/standing.ts';
import type { NodeCounts } from './counts.ts';
import { FreeNodes } from './free-nodes.ts';
import { Ledger, type OpenLease } from './ledger.ts';
import { Outflow } from './outflow.ts';
import { Patience } from './patience.ts';
import { isInGroup } from '../spoken.ts';
import {
  noClaim,
  wasTried,
  type Charge,
  type Grant,
  type LeaseOutcome,
  type NodeRef,
  type Spent,
  type Ticket,
} from './ticket.ts';

// Which node may bear which ticket, and the leases that say so: the fleet as the control plane sees it, what recent answers
// taught beside it, and the live counts, asked together. Choosing a node and counting it is one synchronous step of the
// caller's: `select`, then `take`. It does not know who waits; whose turn it is is the dispatcher's to judge.

/** Where nothing is known of the next probe: the default time between two. */
const UNKNOWN_PROBE_MS = 5_000;
const LEAST_PROBE_MS = 1_000;
/** Where no more nodes have a free slot, only these are looked at. */
const FEW_NODES = 32;

export class Placement {
  readonly #ledger = new Ledger();
  readonly #standing = new Standing(emptySnapshot);
  readonly #random: () => number;
  #selection: CachedSelection;
  readonly #outflow = new Outflow();
  readonly #freeNodes = new FreeNodes((node) => this.hasFreeSlotOn(node));
  /** Null under policies that learn nothing. */
  #outlook: Outlook | null = null;
  #patience: Patience | null = null;
  #snapshot: FleetSnapshot = emptySnapshot;
  #publicModels = 0;
  /** Models offered by each node, by node index; each once, whatever further names it is placed under. */
  #modelsOf: readonly (readonly string[])[] = [];
  /** By node index, monotonic ms. */
  #nextProbeAt: readonly number[] = [];

  constructor(selection: Settings['selection'], random: () => number) {
    this.#random = random;
    this.#selection = this.#selectionBy(selection);
  }

  /** Chooses so from now on. What was learned under the policy is kept while it stays; counts and breakers are in any case. */
  replaceSettings(selection: Settings['selection'], now: number): void {
    const outlook = this.#outlook;
    this.#selection = this.#selectionBy(selection);
    if (this.#outlook !== outlook) this.#outlook?.replaceSnapshot(this.#snapshot, now);
    this.#freeNodes.allChanged(this.#snapshot.nodes.length);
  }

  #selectionBy({ policy, cacheTtlMs }: Settings['selection']): CachedSelection {
    const learns = policy === 'adaptive';
    if (learns !== (this.#outlook !== null)) {
      this.#outlook = learns ? new Outlook() : null;
      this.#patience = this.#outlook && new Patience(this.#outlook);
    }
    return new CachedSelection(this.#snapshot, policyByName[policy], cacheTtlMs, this.#random, this.#outlook);
  }

  get snapshot(): FleetSnapshot {
    return this.#snapshot;
  }

  /** How many models the fleet serves, whatever further names they are placed under. */
  get publicModels(): number {
    return this.#publicModels;
  }

  get openLeases(): number {
    return this.#ledger.openLeases;
  }

  replaceSnapshot(snapshot: FleetSnapshot, now: number): void {
    this.#snapshot = snapshot;
    this.#ledger.replaceSnapshot(snapshot);
    this.#outlook?.replaceSnapshot(snapshot, now);
    this.#selection.replaceSnapshot(snapshot);
    this.#standing.replaceSnapshot(snapshot);
    this.#freeNodes.allChanged(snapshot.nodes.length);
    const modelsOf: string[][] = snapshot.nodes.map(() => []);
    const models = Array.from(snapshot.models.values()).filter(({ name }) => !isInGroup(name));
    for (const model of models) {
      for (const offer of model.offers) modelsOf[offer.node]?.push(model.name);
    }
    this.#publicModels = models.length;
    this.#modelsOf = modelsOf;
    this.#outflow.replaceSnapshot(snapshot, modelsOf);
    for (const model of models) this.#keepHalfIn(model.name, now);
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    const next: number[] = [];
    for (const node of nodes) next[node.index] = node.nextProbeAt;
    this.#nextProbeAt = next;
    this.#outlook?.replaceTelemetry(nodes);
    if (this.#outlook) this.#freeNodes.allChanged(this.#snapshot.nodes.length);
  }

  /** The policy's choice among the nodes that could bear the ticket now and that `isSpare` does not refuse; null where there is none. */
  select(
    ticket: Ticket,
    now: number,
    isSpare?: (candidate: Candidate) => boolean,
    isHeld = ticket.claim.hasTtftSlo,
  ): Candidate | null {
    return this.#selection.selectNodeCached(
      ticket.model,
      this.#ledger,
      now,
      (candidate) => this.#isOpen(candidate, ticket, isHeld, now) && (isSpare === undefined || isSpare(candidate)),
      ticket,
      this.#freeNodes.few(FEW_NODES),
    );
  }

  /** The node as a candidate for the ticket; null where it could not bear it now. */
  selectOn(node: number, ticket: Ticket, now: number, isHeld = ticket.claim.hasTtftSlo): Candidate | null {
    const candidate = this.candidateOn(node, ticket.model, now);
    return candidate && this.#isOpen(candidate, ticket, isHeld, now) ? candidate : null;
  }

  /** The node as a candidate for the model, in whatever state its slots are; null where it may not serve it. */
  candidateOn(node: number, model: string, now: number): Candidate | null {
    return this.#selection.candidateOn(node, model, now);
  }

  /** True where the last `select` could choose among all nodes of the model: there is nobody to wait for. */
  get isNobodyBusy(): boolean {
    return this.#selection.wereAllOpen;
  }

  /**
   * True where it is better for the ticket, which has waited for so long and finds so many waiting before it, to wait for a busy node than
   * to take this one.
   */
  declines(ticket: Ticket, candidate: Candidate, waitedMs: number, ahead: number, now: number): boolean {
    if (!this.#patience || !ticket.claim.hasTtftSlo) return false;
    const candidates = this.#selection.candidates(ticket.model, now);
    const freedPerMs = (other: Candidate): number => {
      if (wasTried(ticket, other) || !this.#standing.allows(other.node, ticket.model, now)) return 0;
      return this.#ledger.freeSlots(other, ticket.model) > 0 ? Infinity : this.#outflow.perMsOf(other.node, now);
    };
    return this.#patience.declines(ticket, candidate, { candidates, freedPerMs, ahead }, waitedMs, now);
  }

  /** True where somebody declined a slot that others may want. */
  isAnybodyPatient(now: number): boolean {
    return this.#patience?.isAnybodyPatient(now) === true;
  }

  /** How many leases for the model may be taken on the candidate now; `isHeld`: by requests that may be kept from a free slot. */
  freeSlots(candidate: Candidate, model: string, isHeld: boolean, now: number): number {
    const free = this.#ledger.freeSlots(candidate, model);
    if (
      free <= 0 ||
      this.#patience?.mayRead(candidate, isHeld, now) === false ||
      !this.#standing.allows(candidate.node, model, now)
    )
      return 0;
    return this.#standing.breakerState(candidate.node, now) === 'half-open' ? 1 : free;
  }

  take(ticket: Ticket, candidate: Candidate, now: number, charge: Charge | null = null): Grant {
    const { node, generation, upstream } = candidate;
    const known = this.#outlook?.node(node, generation);
    const flight = known ? (this.#outlook?.took(known, ticket, now) ?? null) : null;
    const { model } = ticket;
    const lease = this.#ledger.take(candidate, { model, trial: this.#standing.take(node, now), charge, flight }, now);
    this.#outflow.began(candidate, now);
    this.#freeNodes.changed(node);
    this.#selection.taken(ticket.model, candidate);
    return { lease: lease.id, node, generation, upstream };
  }

  /** Takes a slot of the policy's choice, unless less than half of its node's are free or it is on trial; null then. */
  advance(model: string, now: number): Grant | null {
    const ticket: Ticket = { id: 0, model, bytes: 0, maxWaitMs: 0, tried: [], readmitted: false, claim: noClaim };
    const candidate = this.select(ticket, now);
    if (!candidate) return null;
    const free = this.freeSlots(candidate, model, false, now);
    return free >= 2 && free * 2 >= candidate.slots ? this.take(ticket, candidate, now) : null;
  }

  /** A lease's time counts from now on. */
  restart(leaseId: number, now: number): void {
    this.#ledger.restart(leaseId, now);
  }

  /** Ends a lease and learns from how it ended; null where it ended before. */
  end(leaseId: number, outcome: LeaseOutcome, spent: Spent | null, now: number): OpenLease | null {
    const lease = this.#ledger.end(leaseId);
    if (!lease) return null;
    const { flight, takenAt } = lease;
    if (flight) this.#outlook?.ended(flight, now - takenAt, outcome.kind === 'served', spent, now);
    this.#outflow.ended(lease, lease.takenAt, now, outcome.kind === 'served');
    this.#freeNodes.changed(lease.node);
    if (this.isRegistered(lease)) this.#learn(lease, outcome, now);
    return lease;
  }

  /** The first token of a lease's answer has come; the lease, or null where it has ended. */
  firstToken(leaseId: number, now: number): OpenLease | null {
    const lease = this.#ledger.find(leaseId);
    if (!lease) return null;
    if (!lease.flight) return lease;
    this.#outlook?.firstToken(lease.flight, now - lease.takenAt, now);
    // It may bear more now.
    this.#freeNodes.changed(lease.node);
    return lease;
  }

  /** False for a node that was removed, or registered anew, since. */
  isRegistered({ node, generation }: NodeRef): boolean {
    return this.#snapshot.nodes[node]?.generation === generation;
  }

  /** A suspicion of an ended lease was right. */
  blame(ref: NodeRef, now: number): void {
    if (!this.isRegistered(ref)) return;
    this.#standing.blame(ref.node, ref.generation, now, () => this.#maySpare(ref.node, now));
  }

  /** True if a node that has not failed this ticket could still serve it, now or soon. One whose breaker is open is not waited for. */
  hasProspect(ticket: Ticket, now: number): boolean {
    const offers = this.#snapshot.models.get(ticket.model)?.offers ?? [];
    return offers.some((offer) => {
      const node = this.#snapshot.nodes[offer.node];
      if (!node || node.draining || wasTried(ticket, { node: node.index, generation: node.generation })) return false;
      if (node.state === 'ready') return !this.#standing.isOut(node.index, ticket.model, now);
      return node.state === 'loading' || node.state === 'starting';
    });
  }

  /** True where every node that offers the model said of late that it does not know it. */
  isMissingEverywhere(model: string, now: number): boolean {
    const offers = this.#snapshot.models.get(model)?.offers ?? [];
    return offers.length > 0 && offers.every((offer) => this.#standing.isMissing(offer.node, model, now));
  }

  /** True if a node that has not failed this ticket is there to serve it, however busy. */
  hasReadyNode(ticket: Ticket, now: number): boolean {
    return this.#selection
      .candidates(ticket.model, now)
      .some((candidate) => !wasTried(ticket, candidate) && this.#standing.isReady(candidate.node, ticket.model, now));
  }

  /** True if the node takes requests and has a free slot, for whatever model. */
  hasFreeSlotOn(index: number): boolean {
    const node = this.#snapshot.nodes[index];
    return node?.state === 'ready' && !node.draining && this.#ledger.inFlight(index) < this.#slotsOf(node);
  }

  hasFreeSlotAnywhere(): boolean {
    return this.#freeNodes.isAny;
  }

  /** When a node that was left out is let in again next, in monotonic ms; Infinity where none is out. */
  nextReturnAt(): number {
    return Math.min(this.#standing.nextReturnAt(), this.#patience?.nextAt ?? Infinity);
  }

  forgetPast(now: number): void {
    this.#standing.forgetPast(now);
    this.#patience?.forgetPast(now);
  }

  /** How fast slots come free for those that wait. */
  get outflow(): Pick<Outflow, 'perMs' | 'afterMs' | 'hasServed'> {
    return this.#outflow;
  }

  /** Ms until the next probe of a node of the model, at least 1 s. */
  nextProbeMs(model: string, now: number): number {
    const offers = this.#snapshot.models.get(model)?.offers ?? [];
    const next = Math.min(...offers.map((offer) => this.#nextProbeAt[offer.node] ?? Infinity));
    return Number.isFinite(next) ? Math.max(LEAST_PROBE_MS, next - now) : UNKNOWN_PROBE_MS;
  }

  nodeCounts(now: number): NodeCounts[] {
    return this.#snapshot.nodes
      .filter((node) => node !== null)
      .map(({ index, generation, slots }) => ({
        index,
        generation,
        slots: this.#slotsOf({ index, generation, slots }),
        taken: this.#ledger.inFlight(index),
        breaker: this.#standing.breakerState(index, now),
        cooling: this.#standing.isCooling(index, now),
      }));
  }

  /** As many as were learned, else as the snapshot says. */
  #slotsOf({ index, generation, slots }: Pick<NodeSnapshot, 'index' | 'generation' | 'slots'>): number {
    return this.#outlook?.node(index, generation)?.limit.slots ?? slots;
  }

  #isOpen(candidate: Candidate, ticket: Ticket, isHeld: boolean, now: number): boolean {
    return !wasTried(ticket, candidate) && this.freeSlots(candidate, ticket.model, isHeld, now) > 0;
  }

  #learn(lease: OpenLease, outcome: LeaseOutcome, now: number): void {
    const { node, generation, model, trial } = lease;
    switch (outcome.kind) {
      case 'served':
        this.#standing.success(node, generation, trial);
        if (trial) this.#outlook?.isBack(lease, now);
        return;
      case 'fault':
        this.#standing.fault(node, generation, trial, now, () => this.#maySpare(node, now));
        return;
      case 'suspect':
        this.#standing.suspect(node, generation, trial, now, () => this.#maySpare(node, now));
        return;
      case 'overloaded':
        this.#standing.cool(node, generation, now, outcome.coolMs);
        break;
      case 'loading':
        this.#standing.loading(node, generation, model, now, outcome.retryAfterMs);
        break;
      case 'missing':
        this.#standing.missing(node, generation, model, now);
        break;
      case 'unauthorized':
        this.#standing.block(node, generation, now);
        break;
      case 'neutral':
        break;
    }
    if (trial) this.#standing.trialEnded(node);
  }

  /** True if for every model of the node at most half of the nodes that could serve it would be out with it. */
  #maySpare(node: number, now: number): boolean {
    return (this.#modelsOf[node] ?? []).every((model) => {
      const candidates = this.#selection.candidates(model, now);
      const out = candidates.filter((each) => each.node === node || this.#isOut(each, now));
      return out.length * 2 <= candidates.length;
    });
  }

  /** Where nodes were lost, too many of those left may be out: lets some in again. */
  #keepHalfIn(model: string, now: number): void {
    const candidates = this.#selection.candidates(model, now);
    const out = candidates.filter((each) => this.#isOut(each, now));
    for (const { node } of out.slice(Math.floor(candidates.length / 2))) this.#standing.closeBreaker(node);
  }

  #isOut({ node }: Candidate, now: number): boolean {
    return this.#standing.breakerState(node, now) !== 'closed';
  }
}
