import assert from 'node:assert/strict';
import { admissionControl } from '../../src/data-plane/dispatcher/admission-control.ts';
import { Dispatcher } from '../../src/data-plane/dispatcher/dispatcher.ts';
import {
  noClaim,
  type Grant,
  type LeaseOutcome,
  type Ticket,
  type WaitResult,
} from '../../src/data-plane/dispatcher/ticket.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import {
  auditBreakers,
  auditIdleSlots,
  auditOrder,
  isAmong,
  leftOn,
  runningOn,
  takesRequests,
  type Asked,
  type Running,
} from './dispatch-audit.ts';
import { fleetOf, seededRandom, type NodePlan } from './fleet.ts';

const MAX_WAITERS = 10;
const MODELS = ['a', 'b'];

/** One thing that happens. `which` picks among those running or waiting, whatever their number. */
export type Step =
  | {
      readonly do: 'ask';
      readonly model: string;
      readonly maxWaitMs: number;
      readonly many: number;
      readonly caller: string;
    }
  | { readonly do: 'end' | 'retry'; readonly which: number; readonly outcome: LeaseOutcome }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  /** `anew`: under a new generation. `node` is null where it is removed. */
  | { readonly do: 'fleet'; readonly index: number; readonly node: NodePlan | null; readonly anew: boolean }
  | { readonly do: 'settle' }
  | { readonly do: 'blame'; readonly index: number };

/** Drives a dispatcher and knows only tickets, leases and the fleet's plan; fails as soon as an answer or a count is wrong. */
export class DispatchModel {
  readonly clock = new ManualClock(10_000);
  readonly nodes: (NodePlan | null)[] = [{ slots: 2, models: MODELS }, { slots: 1, models: ['a'] }, null];
  readonly waiting = new Map<number, Asked>();
  readonly running = new Map<number, Running>();
  readonly dispatcher: Dispatcher;
  /** By node index: until when it may be held to be loading, or to refuse our key. */
  readonly doubtedUntil = new Map<number, number>();
  #generation = 1;
  #settled = false;
  #draining = false;
  #lastTicket = 0;
  /** The ticket being placed: an answer to it within `place` is a newcomer's or a retry's, not a waiter's. */
  #placing: Asked | null = null;

  constructor(seed: number) {
    this.dispatcher = new Dispatcher(
      {
        queue: { maxWaiters: MAX_WAITERS, timeoutMs: 5000, maxBytes: 1e9, maxShare: 1, reserved: 0 },
        selection: { policy: 'adaptive', cacheTtlMs: 10 },
        random: seededRandom(seed),
        answer: (id, result) => this.#answered(id, result),
      },
      this.clock.now(),
    );
    this.#publish();
  }

  run(next: Step): void {
    switch (next.do) {
      case 'ask':
        for (let nth = 0; nth < next.many; nth++) {
          this.#lastTicket += 1;
          const { model, maxWaitMs, caller } = next;
          const claim = { ...noClaim, caller, promptTokens: 100 };
          this.#place({
            id: this.#lastTicket,
            model,
            bytes: 7,
            maxWaitMs,
            tried: [],
            readmitted: false,
            claim,
          });
        }
        break;
      case 'end':
        this.#end(next.which, next.outcome);
        break;
      case 'retry': {
        const ended = this.#end(next.which, next.outcome);
        if (ended) this.#place({ ...ended.ticket, tried: [...ended.ticket.tried, ended.grant], readmitted: true });
        break;
      }
      case 'leave':
        this.#leave(next.which);
        break;
      case 'pass':
        this.pass(next.ms);
        break;
      case 'fleet': {
        const before = this.nodes[next.index];
        if (next.anew || !before) this.#generation += 1;
        const generation = next.anew || !before ? this.#generation : (before.generation ?? 1);
        this.nodes[next.index] = next.node && { ...next.node, generation };
        this.#publish();
        break;
      }
      case 'settle':
        this.#settled = true;
        this.#publish();
        break;
      case 'blame':
        this.dispatcher.blame(
          { node: next.index, generation: this.nodes[next.index]?.generation ?? 1 },
          this.clock.now(),
        );
        break;
    }
    this.#check();
  }

  pass(ms: number): void {
    const until = this.clock.now() + ms;
    for (let wake = this.dispatcher.nextWakeAt(); wake !== null && wake <= until; wake = this.dispatcher.nextWakeAt()) {
      this.clock.advance(Math.max(0, wake - this.clock.now()));
      this.dispatcher.tick(this.clock.now());
      this.#check();
    }
    this.clock.advance(until - this.clock.now());
  }

  drain(): void {
    this.#draining = true;
    this.dispatcher.drain(this.clock.now());
    assert.equal(this.waiting.size, 0);
  }

  /** Ends everything that still runs or waits; nothing may be left then. */
  finish(): void {
    for (let rounds = 0; this.running.size + this.waiting.size > 0; rounds++) {
      assert.ok(rounds < 500, 'somebody waits for ever');
      while (this.running.size > 0) this.#end(0, { kind: 'served' });
      this.pass(5000);
    }
    this.#check();
    const counts = this.dispatcher.counts(this.clock.now());
    assert.deepEqual([counts.openLeases, counts.waiters, counts.waitingBytes], [0, 0, 0]);
    assert.ok(counts.nodes.every((each) => each.taken === 0));
  }

  #place(ticket: Ticket): void {
    const decision = admissionControl(this.waiting.size, MAX_WAITERS);
    const now = this.clock.now();
    const eligibleAt =
      ticket.readmitted || decision.kind === 'reject'
        ? now
        : Math.max(now + (decision.kind === 'accept' ? 0 : decision.delayMs), ...this.#delays());
    const asked = { ticket, askedAt: now, eligibleAt };
    this.#placing = asked;
    this.dispatcher.place(ticket, now);
    if (!this.#placing) return;
    this.#placing = null;
    assert.ok(ticket.readmitted || decision.kind !== 'reject', 'a newcomer was admitted above the 80 % line');
    assert.ok(!this.#draining);
    this.waiting.set(ticket.id, asked);
  }

  #end(which: number, ending: LeaseOutcome): Running | undefined {
    const ended = [...this.running.values()][which % Math.max(1, this.running.size)];
    if (!ended) return undefined;
    this.running.delete(ended.ticket.id);
    if (ending.kind === 'loading' || ending.kind === 'unauthorized') {
      this.doubtedUntil.set(ended.grant.node, this.clock.now() + 5000);
    }
    this.dispatcher.release(ended.grant.lease, ending, this.clock.now());
    // A lease that is released twice must free nothing.
    this.dispatcher.release(ended.grant.lease, { kind: 'fault' }, this.clock.now());
    return ended;
  }

  #leave(which: number): void {
    const asked = [...this.waiting.values()][which % Math.max(1, this.waiting.size)];
    if (!asked) return;
    this.dispatcher.cancel(asked.ticket.id, this.clock.now());
    assert.ok(!this.waiting.has(asked.ticket.id), 'whoever leaves is answered at once');
  }

  #publish(): void {
    this.dispatcher.replaceSnapshot(fleetOf(this.nodes, this.#settled), this.clock.now());
  }

  #answered(id: number, result: WaitResult): void {
    const placing = this.#placing?.ticket.id === id ? this.#placing : null;
    const asked = placing ?? this.waiting.get(id);
    assert.ok(asked, `ticket ${id} was answered twice, or never asked`);
    if (placing) this.#placing = null;
    this.waiting.delete(id);
    const waitedMs = this.clock.now() - asked.askedAt;
    if (result.kind !== 'ready') {
      if (result.kind === 'timeout') assert.equal(waitedMs, asked.ticket.maxWaitMs);
      if (result.kind === 'capacity-exceeded') assert.ok(placing, 'a waiter is never refused');
      return;
    }
    this.#judgeGrant(asked, result.grant, placing !== null);
    this.running.set(id, { ticket: asked.ticket, grant: result.grant });
  }

  #judgeGrant({ ticket, eligibleAt }: Asked, grant: Grant, atOnce: boolean): void {
    const plan = this.nodes[grant.node];
    assert.ok(plan, 'the node is registered');
    assert.ok(plan.models?.includes(ticket.model), 'the node offers the model');
    assert.ok(takesRequests(plan), 'the node takes requests');
    assert.equal(plan.generation ?? 1, grant.generation);
    assert.ok(!isAmong(ticket.tried, grant), 'a node that failed it is not tried again');
    assert.ok(leftOn(this, grant, ticket.model) > 0, 'more leases than slots of the node, or of the model on it');
    if (!atOnce) assert.ok(this.clock.now() >= eligibleAt, 'handed a slot before its delay was over');
    if (ticket.tried.length === 0) auditOrder(this, ticket, grant, atOnce);
  }

  #check(): void {
    const counts = this.dispatcher.counts(this.clock.now());
    assert.equal(counts.openLeases, this.running.size);
    assert.equal(counts.waiters, this.waiting.size);
    assert.equal(counts.waitingBytes, this.waiting.size * 7);
    assert.ok(counts.waiters <= MAX_WAITERS);
    for (const { index, generation, taken } of counts.nodes) {
      assert.equal(taken, runningOn(this, { node: index, generation }).length);
    }
    const wakeAt = this.dispatcher.nextWakeAt();
    if (this.waiting.size === 0) assert.equal(wakeAt, null);
    else assert.ok(wakeAt !== null && wakeAt <= Math.min(...this.#deadlines()));
    auditIdleSlots(this, counts.nodes);
    for (const model of MODELS) auditBreakers(this, counts.nodes, model);
  }

  #delays(): number[] {
    const newcomers = [...this.waiting.values()].filter(({ ticket }) => !ticket.readmitted);
    return newcomers.map(({ eligibleAt }) => eligibleAt);
  }

  #deadlines(): number[] {
    return Array.from(this.waiting.values(), ({ ticket, askedAt }) => askedAt + ticket.maxWaitMs);
  }
}
