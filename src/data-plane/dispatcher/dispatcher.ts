import { emptySnapshot, type FleetSnapshot } from '../../fleet/snapshot.ts';
import type { Settings } from '../../fleet/settings.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import { Heap } from '../../lib/heap.ts';
import { CachedSelection } from '../balancer/cached-selection.ts';
import type { Candidate } from '../balancer/candidate.ts';
import { policyByName } from '../balancer/policies/policy.ts';
import { Standing } from '../balancer/standing.ts';
import { admissionControl, isFull } from './admission-control.ts';
import { Ledger, type OpenLease } from './ledger.ts';
import { DrainRate } from './retry-after.ts';
import { RetryBudget } from './retry-budget.ts';
import type { LeaseOutcome, NodeRef, Ticket, WaitResult } from './ticket.ts';
import { WaitingRoom, type Waiter } from './waiting-room.ts';

// The one brain: who is placed where, who waits, who is told to come back. Single-threaded and without a clock, timer,
// socket or promise of its own: `now` comes with every call, answers leave by `answer`, and whoever drives it calls `tick` at
// `nextWakeAt`. So the same code runs under the real clock, in a simulation and in property tests.
//
// Three rules keep it fair and exact:
// - Choosing a node and counting it is one synchronous step.
// - A freed slot is handed to the oldest waiter that may use it, in the step that frees it. Nobody is woken to race for it.
// - A newcomer takes a free slot only if no earlier waiter could use it. A slot held for a waiter still in its delay is
//   such a slot: it waits for the delay to end.

export interface DispatcherOptions {
  readonly queue: Settings['queue'];
  readonly selection: Settings['selection'];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told the answer to each ticket, exactly once per `place`. */
  readonly answer: (ticketId: number, result: WaitResult) => void;
}

export class Dispatcher {
  readonly #queue: Settings['queue'];
  readonly #random: () => number;
  readonly #answer: DispatcherOptions['answer'];
  readonly #ledger = new Ledger();
  readonly #room = new WaitingRoom();
  readonly #standing = new Standing();
  readonly #drainRate = new DrainRate();
  readonly #budget: RetryBudget;
  readonly #selection: CachedSelection;
  /** When a delay or a wait ends, with the ticket's id. Those of waiters long gone are skipped as they come up. */
  readonly #waiterWakes = new Heap<number>();
  /** When a node that was left out is let in again. */
  readonly #nodeWakes = new Heap<null>();
  #snapshot: FleetSnapshot = emptySnapshot;
  /** Models offered by each node, by node index. */
  #modelsOf: readonly (readonly string[])[] = [];
  #nextProbeAt: readonly number[] = [];
  #draining = false;

  constructor(options: DispatcherOptions, now: number) {
    this.#queue = options.queue;
    this.#random = options.random;
    this.#answer = options.answer;
    this.#budget = new RetryBudget(now);
    const { policy, cacheTtlMs } = options.selection;
    this.#selection = new CachedSelection(emptySnapshot, policyByName[policy], cacheTtlMs, options.random);
  }

  /** Places a ticket now, lets it wait, or refuses it. The answer may come before this returns. */
  place(ticket: Ticket, now: number): void {
    if (!ticket.readmitted) this.#budget.deposit(now);
    if (this.#draining) return this.#answer(ticket.id, { kind: 'draining', waitedMs: null });
    const offered = this.#snapshot.models.has(ticket.model);
    if (!offered && this.#snapshot.settled) {
      return this.#answer(ticket.id, { kind: 'model-not-found', waitedMs: null });
    }
    const candidate = this.#select(ticket, now);
    if (candidate) return this.#grant(ticket, candidate, null, now);
    if (ticket.tried.length > 0 && !this.#hasProspect(ticket)) {
      return this.#answer(ticket.id, { kind: 'exhausted', waitedMs: null });
    }
    this.#admit(ticket, offered, now);
  }

  /** The client of a waiting ticket went away. */
  cancel(ticketId: number, now: number): void {
    const waiter = this.#room.find(ticketId);
    if (!waiter) return;
    this.#dismiss(waiter, { kind: 'abandoned', waitedMs: now - waiter.enteredAt });
    this.#handOutAll(now);
  }

  /** Ends a lease and hands its slot to the waiter whose turn it is. A second call for the same lease does nothing. */
  release(leaseId: number, outcome: LeaseOutcome, now: number): void {
    const lease = this.#ledger.end(leaseId);
    if (!lease || !this.#ledger.isCurrent(lease)) return;
    this.#learn(lease, outcome, now);
    this.#handOut(lease.node, now);
  }

  /** A fault found out after its lease had ended: another node served the same request. */
  blame(node: NodeRef, now: number): void {
    if (this.#ledger.isCurrent(node)) this.#fault(node, false, now);
  }

  /** Pays for one more attempt from the retry budget. */
  mayRetry(now: number): boolean {
    return this.#budget.withdraw(now);
  }

  /**
   * Before a body is read: ms to come back after if the request would certainly be refused, else null. Certain means that the
   * room is full and no node at all has a slot, since the model is not known yet.
   */
  refusesUnread(now: number): number | null {
    if (!isFull(this.#room.size, this.#queue.maxWaiters) || this.#room.size === 0) return null;
    for (const node of this.#snapshot.nodes) {
      if (!node || node.state !== 'ready' || node.draining) continue;
      if (this.#ledger.inFlight(node.index) < node.slots) return null;
    }
    return this.#retryAfterMs(now);
  }

  replaceSnapshot(snapshot: FleetSnapshot, now: number): void {
    this.#snapshot = snapshot;
    this.#ledger.replaceSnapshot(snapshot);
    this.#selection.replaceSnapshot(snapshot);
    this.#standing.keepOnly((node, generation) => snapshot.nodes[node]?.generation === generation);
    const modelsOf: string[][] = snapshot.nodes.map(() => []);
    for (const model of snapshot.models.values()) {
      for (const offer of model.offers) modelsOf[offer.node]?.push(model.name);
    }
    this.#modelsOf = modelsOf;
    for (const waiter of this.#room.all()) this.#reconsider(waiter, now);
    this.#handOutAll(now);
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    const next: number[] = [];
    for (const node of nodes) next[node.index] = node.nextProbeAt;
    this.#nextProbeAt = next;
  }

  /** From now on everybody is told that the router stops. Leases run on. */
  drain(now: number): void {
    this.#draining = true;
    for (const waiter of this.#room.all()) {
      this.#dismiss(waiter, { kind: 'draining', waitedMs: now - waiter.enteredAt });
    }
  }

  /** Ends waits whose time is over and hands out what delays or cooled nodes held back. */
  tick(now: number): void {
    while ((this.#nodeWakes.peekKey() ?? Infinity) <= now) this.#nodeWakes.pop();
    while ((this.#waiterWakes.peekKey() ?? Infinity) <= now) {
      const waiter = this.#room.find(this.#waiterWakes.pop() ?? 0);
      if (waiter && waiter.deadlineAt <= now) this.#expire(waiter, now);
    }
    this.#handOutAll(now);
  }

  /** When `tick` is due next, monotonic ms; null while nobody waits, for then nothing depends on time. */
  nextWakeAt(): number | null {
    if (this.#room.size === 0) {
      this.#waiterWakes.clear();
      return null;
    }
    return Math.min(this.#waiterWakes.peekKey() ?? Infinity, this.#nodeWakes.peekKey() ?? Infinity);
  }

  /** The live numbers, for gauges and audits; when all is quiet every count is zero. */
  counts(now: number): DispatcherCounts {
    return {
      openLeases: this.#ledger.openLeases,
      waiters: this.#room.size,
      waitingBytes: this.#room.bytes,
      retryBudget: this.#budget.tokens(now),
      models: Array.from(this.#room.models(), (model) => ({ model, waiters: this.#room.sizeOf(model) })),
      nodes: this.#snapshot.nodes.flatMap((node) =>
        node === null
          ? []
          : {
              index: node.index,
              generation: node.generation,
              slots: node.slots,
              taken: this.#ledger.inFlight(node.index),
              breaker: this.#standing.breakerState(node.index, now),
              cooling: this.#standing.isCooling(node.index, now),
            },
      ),
    };
  }

  // Admission

  #admit(ticket: Ticket, offered: boolean, now: number): void {
    const { maxWaiters } = this.#queue;
    let delayMs = 0;
    if (ticket.readmitted) {
      if (this.#room.size >= maxWaiters) return this.#refuse(ticket, now);
    } else {
      const decision = admissionControl(this.#room.size, maxWaiters);
      if (decision.kind === 'reject' || this.#overItsShare(ticket)) return this.#refuse(ticket, now);
      if (decision.kind === 'accept-with-delay') delayMs = decision.delayMs;
    }
    const waiter: Waiter = {
      ticket,
      offered,
      enteredAt: now,
      eligibleAt: now + delayMs,
      deadlineAt: now + ticket.maxWaitMs,
    };
    this.#room.enter(waiter);
    if (delayMs > 0) this.#waiterWakes.push(waiter.eligibleAt, ticket.id);
    this.#waiterWakes.push(waiter.deadlineAt, ticket.id);
  }

  #overItsShare(ticket: Ticket): boolean {
    const { maxBytes, maxShare, maxWaiters } = this.#queue;
    if (this.#room.bytes + ticket.bytes > maxBytes) return true;
    return this.#snapshot.models.size > 1 && this.#room.sizeOf(ticket.model) >= Math.floor(maxShare * maxWaiters);
  }

  #refuse(ticket: Ticket, now: number): void {
    this.#answer(ticket.id, { kind: 'capacity-exceeded', waitedMs: null, retryAfterMs: this.#retryAfterMs(now) });
  }

  #expire(waiter: Waiter, now: number): void {
    const waitedMs = now - waiter.enteredAt;
    const { model } = waiter.ticket;
    if (!this.#snapshot.models.has(model)) return this.#withdraw(waiter, now);
    const someReady = this.#selection
      .candidates(model, now)
      .some((candidate) => this.#standing.isReady(candidate.node, model, now));
    if (someReady) this.#dismiss(waiter, { kind: 'timeout', waitedMs, retryAfterMs: this.#retryAfterMs(now) });
    else this.#dismiss(waiter, { kind: 'no-ready-node', waitedMs, retryAfterMs: this.#nextProbeMs(model, now) });
  }

  /** A new snapshot: does this waiter still have something to wait for? */
  #reconsider(waiter: Waiter, now: number): void {
    const { ticket } = waiter;
    if (!this.#snapshot.models.has(ticket.model)) {
      if (waiter.offered || this.#snapshot.settled) this.#withdraw(waiter, now);
    } else if (ticket.tried.length > 0 && !this.#hasProspect(ticket)) {
      this.#dismiss(waiter, { kind: 'exhausted', waitedMs: now - waiter.enteredAt });
    }
  }

  /** Nobody offers the model any more, or nobody ever did. */
  #withdraw(waiter: Waiter, now: number): void {
    const waitedMs = now - waiter.enteredAt;
    if (!waiter.offered) this.#dismiss(waiter, { kind: 'model-not-found', waitedMs });
    else this.#dismiss(waiter, { kind: 'no-ready-node', waitedMs, retryAfterMs: 1000 });
  }

  #dismiss(waiter: Waiter, result: WaitResult): void {
    this.#room.leave(waiter);
    this.#answer(waiter.ticket.id, result);
  }

  // Placement

  #select(ticket: Ticket, now: number): Candidate | null {
    return this.#selection.selectNodeCached(ticket.model, this.#ledger, now, (candidate) =>
      this.#isOpen(candidate, ticket, now),
    );
  }

  #isOpen(candidate: Candidate, ticket: Ticket, now: number): boolean {
    return (
      this.#ledger.hasFreeSlot(candidate, ticket.model) &&
      !wasTried(ticket, candidate) &&
      this.#standing.allows(candidate.node, ticket.model, now) &&
      !this.#isOwedToAnother(candidate, ticket)
    );
  }

  /** True if a waiter that came before this ticket could use the candidate's slot, now or when its delay is over. */
  #isOwedToAnother(candidate: Candidate, ticket: Ticket): boolean {
    if (this.#room.size === 0) return false;
    for (const model of this.#modelsOf[candidate.node] ?? []) {
      let owed = false;
      this.#room.someOf(model, (waiter) => {
        if (waiter.ticket.id >= ticket.id) return true;
        owed = !wasTried(waiter.ticket, candidate);
        return owed;
      });
      if (owed) return true;
    }
    return false;
  }

  #grant(ticket: Ticket, candidate: Candidate, waiter: Waiter | null, now: number): void {
    const trial = this.#standing.take(candidate.node, now);
    const lease = this.#ledger.take(candidate, ticket.model, trial, now);
    this.#selection.taken(ticket.model, candidate);
    if (waiter) {
      this.#room.leave(waiter);
      this.#drainRate.note(now);
    }
    const { node, generation, upstream } = candidate;
    this.#answer(ticket.id, {
      kind: 'ready',
      grant: { lease: lease.id, node, generation, upstream },
      waitedMs: waiter ? now - waiter.enteredAt : null,
    });
  }

  /** Hands the free slots of one node to the oldest waiters that may use them, over all its models. */
  #handOut(node: number, now: number): void {
    for (;;) {
      let oldest: { waiter: Waiter; candidate: Candidate } | null = null;
      for (const model of this.#modelsOf[node] ?? []) {
        if (this.#room.sizeOf(model) === 0) continue;
        const candidate = this.#selection.candidates(model, now).find((each) => each.node === node);
        if (!candidate || !this.#ledger.hasFreeSlot(candidate, model)) continue;
        if (!this.#standing.allows(node, model, now)) continue;
        this.#room.someOf(model, (waiter) => {
          if (oldest && waiter.ticket.id > oldest.waiter.ticket.id) return true;
          if (waiter.eligibleAt > now || wasTried(waiter.ticket, candidate)) return false;
          oldest = { waiter, candidate };
          return true;
        });
      }
      if (!oldest) return;
      const { waiter, candidate }: { waiter: Waiter; candidate: Candidate } = oldest;
      this.#grant(waiter.ticket, candidate, waiter, now);
    }
  }

  #handOutAll(now: number): void {
    if (this.#room.size === 0) return;
    for (;;) {
      let oldest: { waiter: Waiter; candidate: Candidate } | null = null;
      for (const model of this.#room.models()) {
        this.#room.someOf(model, (waiter) => {
          if (oldest && waiter.ticket.id > oldest.waiter.ticket.id) return true;
          if (waiter.eligibleAt > now) return false;
          const candidate = this.#selectFor(waiter, now);
          if (candidate) oldest = { waiter, candidate };
          // What is closed to a waiter that was tried nowhere is closed to all behind it.
          return candidate !== null || waiter.ticket.tried.length === 0;
        });
      }
      if (!oldest) return;
      const { waiter, candidate }: { waiter: Waiter; candidate: Candidate } = oldest;
      this.#grant(waiter.ticket, candidate, waiter, now);
    }
  }

  /** Like `#select`, for somebody whose delay is over: those still in theirs do not hold a slot against it. */
  #selectFor(waiter: Waiter, now: number): Candidate | null {
    const { ticket } = waiter;
    return this.#selection.selectNodeCached(
      ticket.model,
      this.#ledger,
      now,
      (candidate) =>
        this.#ledger.hasFreeSlot(candidate, ticket.model) &&
        !wasTried(ticket, candidate) &&
        this.#standing.allows(candidate.node, ticket.model, now),
    );
  }

  /** True if a node that has not failed this ticket could still serve it, now or soon. */
  #hasProspect(ticket: Ticket): boolean {
    const offers = this.#snapshot.models.get(ticket.model)?.offers ?? [];
    return offers.some((offer) => {
      const node = this.#snapshot.nodes[offer.node];
      if (!node || node.draining || wasTried(ticket, { node: node.index, generation: node.generation })) return false;
      return node.state === 'ready' || node.state === 'loading' || node.state === 'starting';
    });
  }

  // What attempts taught

  #learn(lease: OpenLease, outcome: LeaseOutcome, now: number): void {
    const { node, generation, model, trial } = lease;
    switch (outcome.kind) {
      case 'served':
        this.#standing.success(node, generation, trial);
        return;
      case 'fault':
        this.#fault(lease, trial, now);
        return;
      case 'overloaded':
        this.#standing.cool(node, generation, now, outcome.coolMs);
        this.#wakeIn(outcome.coolMs, now);
        break;
      case 'loading':
        this.#wakeIn(this.#standing.loading(node, generation, model, now, outcome.retryAfterMs), now);
        break;
      case 'unauthorized':
        this.#wakeIn(this.#standing.block(node, generation, now), now);
        break;
      case 'neutral':
        break;
    }
    if (trial) this.#standing.trialEnded(node);
  }

  #fault({ node, generation }: NodeRef, trial: boolean, now: number): void {
    const outMs = this.#standing.fault(node, generation, trial, now, () => this.#maySpare(node, now));
    if (outMs !== null) this.#wakeIn(outMs, now);
  }

  /** True if for every model of the node at most half of the model's nodes would be out with it. */
  #maySpare(node: number, now: number): boolean {
    return (this.#modelsOf[node] ?? []).every((model) => {
      const offers = this.#snapshot.models.get(model)?.offers ?? [];
      const out = offers.filter(
        (offer) => offer.node === node || this.#standing.breakerState(offer.node, now) !== 'closed',
      ).length;
      return out * 2 <= offers.length;
    });
  }

  #wakeIn(ms: number, now: number): void {
    while ((this.#nodeWakes.peekKey() ?? Infinity) <= now) this.#nodeWakes.pop();
    this.#nodeWakes.push(now + ms, null);
  }

  #retryAfterMs(now: number): number {
    const ahead = this.#room.size - Math.floor(this.#queue.maxWaiters / 2);
    return this.#drainRate.retryAfterMs(ahead, now, this.#random, this.#queue.timeoutMs);
  }

  #nextProbeMs(model: string, now: number): number {
    const offers = this.#snapshot.models.get(model)?.offers ?? [];
    const next = Math.min(...offers.map((offer) => this.#nextProbeAt[offer.node] ?? Infinity));
    return Number.isFinite(next) ? Math.max(1000, next - now) : 5000;
  }
}

export interface DispatcherCounts {
  readonly openLeases: number;
  readonly waiters: number;
  readonly waitingBytes: number;
  readonly retryBudget: number;
  readonly models: readonly { readonly model: string; readonly waiters: number }[];
  readonly nodes: readonly {
    readonly index: number;
    readonly generation: number;
    readonly slots: number;
    readonly taken: number;
    readonly breaker: 'closed' | 'open' | 'half-open';
    readonly cooling: boolean;
  }[];
}

function wasTried(ticket: Ticket, { node, generation }: NodeRef): boolean {
  return ticket.tried.some((ref) => ref.node === node && ref.generation === generation);
}
