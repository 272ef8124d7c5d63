import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { Settings } from '../../fleet/settings.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import type { Candidate } from '../balancer/candidate.ts';
import type { QueueRefusal, QueueStanding } from '../queue-standing.ts';
import { Admission } from './admission.ts';
import { BandOrder } from './band-order.ts';
import type { DispatcherCounts } from './counts.ts';
import { Fairness } from './fairness.ts';
import { Placement } from './placement.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Grant, LeaseOutcome, NodeRef, Spent, Ticket, WaitResult } from './ticket.ts';
import { isSpare, nextTurn } from './turn.ts';
import { bandOf, WaitingRoom, type Waiter } from './waiting-room.ts';

// The one brain: who is placed where, who waits, who is told to come back. Single-threaded and without a clock, timer,
// socket or promise of its own: `now` comes with every call, answers leave by `answer`, and whoever drives it calls `tick` at
// `nextWakeAt`. So the same code runs under the real clock, in a simulation and in property tests.
//
// Choosing a node and counting it is one synchronous step, and so is freeing a slot and handing it on: nobody is woken to
// race for it (turn.ts says who gets it). Slots that are waited for go by priority and are shared fairly between callers (fairness.ts), and
// while there are others no caller may fill the room. Who would wait beyond its deadline is told so at once (admission.ts).

/** What newcomers are told who are turned away before anything is known of them. */
export interface FullFor {
  /** Ms for the first to come back after, and for each that follows so much more. */
  readonly firstMs: number;
  readonly gapMs: number;
  readonly estimatedWaitMs: number;
}

export interface DispatcherOptions {
  readonly queue: Settings['queue'];
  readonly selection: Settings['selection'];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Takes back slots that were granted in advance and not yet taken; true if there were any. */
  readonly recall?: () => boolean;
  /** Told the answer to each ticket, exactly once per `place`. */
  readonly answer: (ticketId: number, result: WaitResult) => void;
}

/** Retry-After of a model that was just withdrawn. */
const WITHDRAWN_RETRY_MS = 1_000;

export class Dispatcher {
  readonly #answer: DispatcherOptions['answer'];
  readonly #recall: () => boolean;
  readonly #placement: Placement;
  readonly #room = new WaitingRoom();
  readonly #bands: BandOrder;
  readonly #fairness = new Fairness();
  readonly #admission: Admission;
  #maxWaiters: number;
  readonly #budget: RetryBudget;
  #draining = false;

  constructor(options: DispatcherOptions, now: number) {
    this.#answer = options.answer;
    this.#recall = options.recall ?? (() => false);
    this.#budget = new RetryBudget(now);
    this.#placement = new Placement(options.selection, options.random);
    const { queue, random } = options;
    this.#maxWaiters = queue.maxWaiters;
    this.#bands = new BandOrder(queue.timeoutMs);
    const [room, placement, fairness] = [this.#room, this.#placement, this.#fairness];
    this.#admission = new Admission({ queue, room, placement, fairness, random });
  }

  /** Places a ticket now, lets it wait, or refuses it. The answer may come before this returns. */
  place(ticket: Ticket, now: number): void {
    this.#fairness.asked(ticket.claim, now);
    if (!ticket.readmitted) this.#budget.deposit(now);
    // A stop lets what runs finish, and a retry is part of it as long as it need not wait.
    if (this.#draining && !ticket.readmitted) return this.#answer(ticket.id, { kind: 'draining', waitedMs: null });
    const { models, settled } = this.#placement.snapshot;
    const offered = models.has(ticket.model);
    const isUnknown = offered ? this.isMissingEverywhere(ticket.model, now) : settled;
    if (isUnknown && !ticket.readmitted) {
      return this.#answer(ticket.id, { kind: 'model-not-found', waitedMs: null });
    }
    if (isPast(ticket, now)) return this.#answerLate(ticket, now);
    let candidate = this.#select(ticket, now);
    if (!candidate && this.#recall()) candidate = this.#select(ticket, now);
    if (candidate && !this.#declines(ticket, candidate, now)) return this.#grant(ticket, candidate, null, now);
    if ((ticket.readmitted && !offered) || this.#isExhausted(ticket, now)) {
      return this.#answer(ticket.id, { kind: 'exhausted', waitedMs: null });
    }
    if (this.#draining) return this.#answer(ticket.id, { kind: 'draining', waitedMs: null });
    this.#admit(ticket, offered, now);
  }

  /** The client of a waiting ticket went away. */
  cancel(ticketId: number, now: number): void {
    const waiter = this.#room.find(ticketId);
    if (waiter) this.#dismiss(waiter, { kind: 'abandoned', waitedMs: now - waiter.enteredAt }, now);
  }

  /** Ends a lease and hands its slot to the waiter whose turn it is. A second call for the same lease does nothing. */
  release(leaseId: number, outcome: LeaseOutcome, now: number, spent: Spent | null = null): void {
    const lease = this.#placement.end(leaseId, outcome, spent, now);
    if (!lease) return;
    const { charge, node } = lease;
    if (charge) this.#room.moved(charge.account, this.#fairness.settle(charge, outcome, spent));
    if (this.#room.size > 0 && this.#placement.isRegistered(lease)) this.#handOut(node, now);
  }

  /** The first token of a streamed answer has come. What its node had to do before others' prompts is done. */
  firstToken(leaseId: number, now: number): void {
    const lease = this.#placement.firstToken(leaseId, now);
    if (lease && this.#room.size > 0 && this.#placement.isRegistered(lease)) this.#handOut(lease.node, now);
  }

  /** A lease that ended `suspect` was the node's fault: another node served the same request. */
  blame(node: NodeRef, now: number): void {
    this.#placement.blame(node, now);
  }

  /** A slot for a request that is yet to come; null where slots are not plentiful, so that nobody goes without for it. */
  advance(model: string, now: number): Grant | null {
    if (this.#draining || this.#room.size > 0 || this.isMissingEverywhere(model, now)) return null;
    return this.#placement.advance(model, now);
  }

  /** A slot granted in advance is used: from now on, if `isFresh`. */
  advanceTaken(lease: number, isFresh: boolean, now: number): void {
    this.#budget.deposit(now);
    if (isFresh) this.#placement.restart(lease, now);
  }

  /** Pays for one more attempt from the retry budget. */
  mayRetry(now: number): boolean {
    return this.#budget.withdraw(now);
  }

  /**
   * Before a body is read: what it is told if the request would certainly be refused, else null. Certain means that the
   * room is full and no node at all has a slot, since the model is not known yet.
   */
  refusesUnread(now: number): QueueRefusal | null {
    if (!this.isFullAnywhere) return null;
    return { retryAfterMs: this.retryAfterMs(now), standing: this.#admission.standingOfAnybody(now) };
  }

  /** As `refusesUnread`, for others to tell it; `told` of them have done so since this was asked last. */
  fullFor(told: number, now: number): FullFor | null {
    this.#admission.toldElsewhere(told, now);
    if (!this.isFullAnywhere) return null;
    const { estimatedWaitMs } = this.#admission.standingOfAnybody(now);
    return { ...this.#admission.openAgain(now), estimatedWaitMs };
  }

  /** True where the room is full and no node at all has a slot. */
  get isFullAnywhere(): boolean {
    return this.#admission.isFull && !this.#placement.hasFreeSlotAnywhere();
  }

  /** Where a waiter stands; null for a ticket that does not wait. Costs a look at each caller that waits for its model. */
  standing(ticketId: number, now: number): QueueStanding | null {
    const waiter = this.#room.find(ticketId);
    return waiter ? this.#admission.standingOf(waiter.ticket, now) : null;
  }

  /** Would a ticket be let in now, if it had to wait? Changes nothing. */
  mayWait(ticket: Ticket, now: number): boolean {
    return this.#admission.isOpenTo(ticket, now);
  }

  /** Ms until the next request should be let in again, with jitter. */
  retryAfterMs(now: number): number {
    return this.#admission.openAgainMs(now);
  }

  /** Ms until a node of the model is probed next. */
  nextProbeMs(model: string, now: number): number {
    return this.#placement.nextProbeMs(model, now);
  }

  /** True where every node that offers the model said of late that it does not know it. */
  isMissingEverywhere(model: string, now: number): boolean {
    return this.#placement.isMissingEverywhere(model, now);
  }

  replaceSnapshot(snapshot: FleetSnapshot, now: number): void {
    this.#placement.replaceSnapshot(snapshot, now);
    for (const waiter of this.#room.all()) this.#reconsider(waiter, now);
    this.#handOut(null, now);
  }

  /** Admits and places by these from now on. Who waits stays, for as long as was allowed when it came. */
  replaceSettings({ queue, selection }: Pick<DispatcherOptions, 'queue' | 'selection'>, now: number): void {
    this.#maxWaiters = queue.maxWaiters;
    this.#admission.replaceSettings(queue);
    this.#bands.replaceLongestWait(queue.timeoutMs);
    this.#placement.replaceSettings(selection, now);
    this.#handOut(null, now);
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    this.#placement.replaceTelemetry(nodes);
  }

  /** From now on newcomers and waiters are told that the router stops. Leases run on. */
  drain(now: number): void {
    this.#draining = true;
    for (const waiter of this.#room.all()) {
      this.#dismiss(waiter, { kind: 'draining', waitedMs: now - waiter.enteredAt }, now);
    }
  }

  /** Ends waits whose time is over and hands out what delays or left-out nodes held back. */
  tick(now: number): void {
    this.#placement.forgetPast(now);
    for (const waiter of this.#room.overdue(now)) this.#expire(waiter, now);
    this.#handOut(null, now);
  }

  /** When `tick` is due next, monotonic ms; null while nobody waits, for then nothing depends on time. */
  nextWakeAt(): number | null {
    return this.#room.size === 0 ? null : Math.min(this.#room.nextWakeAt(), this.#placement.nextReturnAt());
  }

  get waiters(): number {
    return this.#room.size;
  }

  /** The live numbers, for gauges and audits; when all is quiet every count is zero. */
  counts(now: number): DispatcherCounts {
    return {
      openLeases: this.#placement.openLeases,
      waiters: this.#room.size,
      waitingBytes: this.#room.bytes,
      retryBudget: this.#budget.tokens(now),
      models: Array.from(this.#room.models(), (model) => ({ model, waiters: this.#room.sizeOf(model) })),
      nodes: this.#placement.nodeCounts(now),
    };
  }

  // Admission

  #admit(ticket: Ticket, offered: boolean, now: number): void {
    const admitted = this.#admission.judge(ticket, now);
    if (admitted.kind !== 'waits') {
      const { retryAfterMs, standing } = admitted;
      const kind = admitted.kind === 'late' ? 'deadline-unreachable' : 'capacity-exceeded';
      return this.#answer(ticket.id, { kind, waitedMs: null, retryAfterMs, standing });
    }
    const { eligibleAt } = admitted;
    const account = this.#fairness.accountOf(ticket.claim);
    const deadlineAt = Math.min(now + ticket.maxWaitMs, ticket.claim.startBy ?? Infinity);
    const waiter: Waiter = { ticket, account, offered, enteredAt: now, eligibleAt, deadlineAt };
    this.#room.enter(waiter, this.#fairness.servedTag);
    if (waiter.deadlineAt <= now) this.#expire(waiter, now);
    // Those before it may have left a slot for it.
    else if (this.#placement.isAnybodyPatient(now)) this.#handOut(null, now);
  }

  // The end of a wait

  #expire(waiter: Waiter, now: number): void {
    const waitedMs = now - waiter.enteredAt;
    const { ticket } = waiter;
    if (isPast(ticket, now)) {
      const withinMs = (ticket.claim.startBy ?? 0) - waiter.enteredAt;
      const told = this.#admission.late(ticket, withinMs, now);
      this.#dismiss(waiter, { kind: 'deadline-unreachable', waitedMs, ...told }, now);
    } else if (this.#placement.hasReadyNode(ticket, now)) {
      const told = this.#admission.late(ticket, ticket.maxWaitMs, now);
      this.#dismiss(waiter, { kind: 'timeout', waitedMs, ...told }, now);
    } else {
      const retryAfterMs = this.nextProbeMs(waiter.ticket.model, now);
      this.#dismiss(waiter, { kind: 'no-ready-node', waitedMs, retryAfterMs }, now);
    }
  }

  /** A new snapshot: does this waiter still have something to wait for? */
  #reconsider(waiter: Waiter, now: number): void {
    const { models, settled } = this.#placement.snapshot;
    const waitedMs = now - waiter.enteredAt;
    if (models.has(waiter.ticket.model)) {
      waiter.offered = true;
      if (this.#isExhausted(waiter.ticket, now)) this.#dismiss(waiter, { kind: 'exhausted', waitedMs }, now);
    } else if (waiter.offered) {
      this.#dismiss(waiter, { kind: 'no-ready-node', waitedMs, retryAfterMs: WITHDRAWN_RETRY_MS }, now);
    } else if (settled) {
      this.#dismiss(waiter, { kind: 'model-not-found', waitedMs }, now);
    }
  }

  /** A ticket whose time was over before it could wait. */
  #answerLate(ticket: Ticket, now: number): void {
    this.#answer(ticket.id, { kind: 'deadline-unreachable', waitedMs: null, ...this.#admission.late(ticket, 0, now) });
  }

  #isExhausted(ticket: Ticket, now: number): boolean {
    return ticket.tried.length > 0 && !this.#placement.hasProspect(ticket, now);
  }

  #dismiss(waiter: Waiter, result: WaitResult, now: number): void {
    this.#room.leave(waiter);
    this.#admission.placeFreed(now);
    this.#answer(waiter.ticket.id, result);
  }

  // Placement

  #select(ticket: Ticket, now: number): Candidate | null {
    if (this.#room.size === 0) return this.#placement.select(ticket, now);
    const account = this.#fairness.accountOf(ticket.claim);
    const mayDecline = this.#hasRoom && this.#placement.isAnybodyPatient(now);
    return this.#placement.select(ticket, now, (each) =>
      isSpare(this.#room, this.#placement, each, ticket, account, mayDecline, now),
    );
  }

  /** While the room fills up a free slot is taken, good or bad. */
  get #hasRoom(): boolean {
    return this.#room.size * 2 < this.#maxWaiters;
  }

  /** Waiting for a better node is worth it, and nobody is delayed or refused for it. */
  #declines(ticket: Ticket, candidate: Candidate, now: number): boolean {
    if (ticket.readmitted || this.#draining || !this.#hasRoom || this.#placement.isNobodyBusy) return false;
    return this.#placement.declines(ticket, candidate, 0, this.#room.sizeOf(ticket.model), now);
  }

  #grant(ticket: Ticket, candidate: Candidate, waiter: Waiter | null, now: number): void {
    if (!waiter) {
      const grant = this.#placement.take(ticket, candidate, now);
      return this.#answer(ticket.id, { kind: 'ready', grant, waitedMs: null });
    }
    const charge = this.#fairness.charge(waiter.account, ticket, this.#room.tagOf(waiter));
    const grant = this.#placement.take(ticket, candidate, now, charge);
    this.#room.leave(waiter);
    this.#room.moved(waiter.account, charge.owed);
    this.#admission.placeFreed(now);
    this.#answer(ticket.id, { kind: 'ready', grant, waitedMs: now - waiter.enteredAt });
  }

  /** Hands the free slots of a node, or of all nodes, to the waiters whose turn it is. */
  #handOut(node: number | null, now: number): void {
    for (;;) {
      if (node !== null && !this.#placement.hasFreeSlotOn(node)) return;
      const bands = this.#bands.order(this.#room, now);
      const turn = nextTurn(this.#room, this.#placement, bands, { node, now, mayDecline: this.#hasRoom });
      if (!turn) return;
      this.#bands.served(bandOf(turn.waiter.ticket.claim.priority));
      this.#grant(turn.waiter.ticket, turn.candidate, turn.waiter, now);
    }
  }
}

/** Is the time over by which it wanted a slot? */
function isPast({ claim: { startBy } }: Ticket, now: number): boolean {
  return startBy !== null && startBy <= now;
}
