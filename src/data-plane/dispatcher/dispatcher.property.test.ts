import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fleetOf, seededRandom, type NodePlan } from '../../../test/support/fleet.ts';
import { ManualClock } from '../../lib/clock.ts';
import { admissionControl } from './admission-control.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Grant, LeaseOutcome, NodeRef, Ticket, WaitResult } from './ticket.ts';

// Whatever happens in whatever order, the dispatcher's promises hold. The model beside it knows only tickets, leases and the
// fleet's plan; it judges each answer at the moment it is given and the whole state after each step.

const MAX_WAITERS = 10;
const MODELS = ['a', 'b'];

const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant<LeaseOutcome>({ kind: 'served' }) },
  { weight: 2, arbitrary: fc.constant<LeaseOutcome>({ kind: 'neutral' }) },
  { weight: 4, arbitrary: fc.constant<LeaseOutcome>({ kind: 'fault' }) },
  { weight: 1, arbitrary: fc.constant<LeaseOutcome>({ kind: 'unauthorized' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('overloaded' as const), coolMs: fc.integer({ min: 1, max: 60_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('loading' as const), retryAfterMs: fc.option(fc.nat(5000)) }),
  },
);

const node = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  models: fc.constantFrom(['a'], ['b'], MODELS),
  modelSlots: fc.constantFrom(1, 2, 9),
  state: fc.constantFrom<NonNullable<NodePlan['state']>[]>('ready', 'ready', 'ready', 'loading', 'offline'),
  draining: fc.constantFrom(false, false, false, true),
});

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      model: fc.constantFrom('a', 'a', 'a', 'b', 'unknown'),
      maxWaitMs: fc.constantFrom(0, 50, 300, 5000),
      many: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(), outcome }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('retry' as const), which: fc.nat(), outcome }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 60, 400, 7000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fleet' as const),
      index: fc.nat(2),
      node: fc.option(node),
      anew: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('blame' as const), index: fc.nat(2) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Asked {
  readonly ticket: Ticket;
  readonly askedAt: number;
  /** When its delay ends: no sooner than that of a newcomer who waited when it came. */
  readonly eligibleAt: number;
}

class Model {
  readonly clock = new ManualClock(10_000);
  readonly nodes: (NodePlan | null)[] = [{ slots: 2, models: MODELS }, { slots: 1, models: ['a'] }, null];
  readonly waiting = new Map<number, Asked>();
  readonly running = new Map<number, { readonly ticket: Ticket; readonly grant: Grant }>();
  readonly dispatcher: Dispatcher;
  #generation = 1;
  /** By node index: until when it may be held to be loading, or to refuse our key. */
  readonly #doubtedUntil = new Map<number, number>();
  #settled = false;
  #draining = false;
  #lastTicket = 0;
  /** The ticket being placed: an answer to it within `place` is a newcomer's or a retry's, not a waiter's. */
  #placing: Asked | null = null;

  constructor(seed: number) {
    this.dispatcher = new Dispatcher(
      {
        queue: { maxWaiters: MAX_WAITERS, timeoutMs: 5000, maxBytes: 1e9, maxShare: 1 },
        selection: { policy: 'least-loaded', cacheTtlMs: 10 },
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
          const { model, maxWaitMs } = next;
          this.#place({ id: this.#lastTicket, model, bytes: 7, maxWaitMs, tried: [], readmitted: false });
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

  #end(which: number, ending: LeaseOutcome): { readonly ticket: Ticket; readonly grant: Grant } | undefined {
    const ended = [...this.running.values()][which % Math.max(1, this.running.size)];
    if (!ended) return undefined;
    this.running.delete(ended.ticket.id);
    if (ending.kind === 'loading' || ending.kind === 'unauthorized') {
      this.#doubtedUntil.set(ended.grant.node, this.clock.now() + 5000);
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
    assert.ok((plan.state ?? 'ready') === 'ready' && !plan.draining, 'the node takes requests');
    assert.equal(plan.generation ?? 1, grant.generation);
    assert.ok(!isAmong(ticket.tried, grant), 'a node that failed it is not tried again');
    const here = [...this.running.values()].filter(({ grant: other }) => isSame(other, grant));
    assert.ok(here.length < (plan.slots ?? 1), 'more leases than slots');
    const ofModel = here.filter(({ ticket: other }) => other.model === ticket.model);
    assert.ok(ofModel.length < (plan.modelSlots ?? Infinity), 'more leases than slots of the model');
    if (!atOnce) assert.ok(this.clock.now() >= eligibleAt, 'handed a slot before its delay was over');
    // First come, first served among those of one model that nothing tells apart.
    if (ticket.tried.length > 0 || ticket.readmitted) return;
    for (const { ticket: other } of this.waiting.values()) {
      if (other.model !== ticket.model || other.id >= ticket.id || isAmong(other.tried, grant)) continue;
      const left = (plan.slots ?? 1) - here.length;
      const leftOfModel = (plan.modelSlots ?? Infinity) - ofModel.length;
      // What is left when everybody before is given a slot of this node is nobody's.
      assert.ok(atOnce && Math.min(left, leftOfModel) > 1, `${ticket.id} overtook ${other.id}`);
    }
  }

  #check(): void {
    const counts = this.dispatcher.counts(this.clock.now());
    assert.equal(counts.openLeases, this.running.size);
    assert.equal(counts.waiters, this.waiting.size);
    assert.equal(counts.waitingBytes, this.waiting.size * 7);
    assert.ok(counts.waiters <= MAX_WAITERS);
    for (const { index, generation, taken } of counts.nodes) {
      const held = [...this.running.values()].filter(({ grant }) => isSame(grant, { node: index, generation }));
      assert.equal(taken, held.length);
    }
    const wakeAt = this.dispatcher.nextWakeAt();
    if (this.waiting.size === 0) assert.equal(wakeAt, null);
    else assert.ok(wakeAt !== null && wakeAt <= Math.min(...this.#deadlines()));
    this.#checkNoSlotIdles(counts.nodes);
    this.#checkHalfIsIn(counts.nodes);
  }

  #delays(): number[] {
    const newcomers = [...this.waiting.values()].filter(({ ticket }) => !ticket.readmitted);
    return newcomers.map(({ eligibleAt }) => eligibleAt);
  }

  #deadlines(): number[] {
    return Array.from(this.waiting.values(), ({ ticket, askedAt }) => askedAt + ticket.maxWaitMs);
  }

  /** Work conservation, where nothing but slots could hold a waiter back: nodes that neither cool, are doubted nor out. */
  #checkNoSlotIdles(nodes: ReturnType<Dispatcher['counts']>['nodes']): void {
    for (const { index, generation, slots, taken, breaker, cooling } of nodes) {
      const plan = this.nodes[index];
      if (
        !plan ||
        (plan.state ?? 'ready') !== 'ready' ||
        plan.draining ||
        taken >= slots ||
        breaker !== 'closed' ||
        cooling ||
        this.#isDoubted(index)
      )
        continue;
      for (const { ticket, eligibleAt } of this.waiting.values()) {
        if (!plan.models?.includes(ticket.model) || isAmong(ticket.tried, { node: index, generation })) continue;
        const ofModel = [...this.running.values()].filter(
          ({ grant, ticket: other }) => isSame(grant, { node: index, generation }) && other.model === ticket.model,
        );
        if (ofModel.length >= (plan.modelSlots ?? Infinity)) continue;
        assert.ok(eligibleAt > this.clock.now(), `a slot of node ${index} idles while ${ticket.id} waits`);
      }
    }
  }

  /** Doubts are not told by the counts; a node that raised one of late is left out of the judgement. */
  #isDoubted(index: number): boolean {
    return (this.#doubtedUntil.get(index) ?? 0) > this.clock.now();
  }

  #checkHalfIsIn(nodes: ReturnType<Dispatcher['counts']>['nodes']): void {
    for (const model of MODELS) {
      const able = nodes.filter(({ index }) => {
        const plan = this.nodes[index];
        return plan?.models?.includes(model) && (plan.state ?? 'ready') === 'ready' && !plan.draining;
      });
      const out = able.filter(({ breaker }) => breaker !== 'closed');
      assert.ok(out.length * 2 <= able.length, `${out.length} of ${able.length} nodes of ${model} are out`);
    }
  }
}

function isSame(a: NodeRef, b: NodeRef): boolean {
  return a.node === b.node && a.generation === b.generation;
}

function isAmong(refs: readonly NodeRef[], ref: NodeRef): boolean {
  return refs.some((each) => isSame(each, ref));
}

test('under any interleaving nobody is lost, served twice or overtaken, no slot is given twice or idles, and all counts return to zero', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.nat(),
      fc.option(fc.nat(60)),
      (steps, seed, drainAt) => {
        const model = new Model(seed);
        for (const [nth, next] of steps.entries()) {
          if (nth === drainAt) model.drain();
          model.run(next);
        }
        model.finish();
      },
    ),
    { numRuns: 4000 },
  );
});
