import assert from 'node:assert/strict';
import { Dispatcher } from '../../src/data-plane/dispatcher/dispatcher.ts';
import type { DispatcherCounts } from '../../src/data-plane/dispatcher/counts.ts';
import {
  noClaim,
  type Grant,
  type LeaseOutcome,
  type Ticket,
  type WaitResult,
} from '../../src/data-plane/dispatcher/ticket.ts';
import type { PolicyName } from '../../src/fleet/glossary.ts';
import type { Settings } from '../../src/fleet/settings.ts';
import type { FleetSnapshot } from '../../src/fleet/snapshot.ts';
import { fleetOf, seededRandom, type NodePlan } from './fleet.ts';

export interface DeskOptions {
  readonly queue?: Partial<Settings['queue']>;
  readonly policy?: PolicyName;
  readonly seed?: number;
}

/** A dispatcher under a clock of its own that stands still until `advance`; every answer is kept, and a second one for the same ticket fails the test. */
export class DispatchDesk {
  now = 1_000_000;
  readonly dispatcher: Dispatcher;
  /** Tickets in the order in which they were given slots. */
  readonly served: number[] = [];
  readonly #asked = new Map<number, { readonly ticket: Ticket; result: WaitResult | null }>();
  #lastTicket = 0;

  constructor(nodes: readonly (NodePlan | null)[] | FleetSnapshot, { queue, policy, seed = 1 }: DeskOptions = {}) {
    this.dispatcher = new Dispatcher(
      {
        queue: { maxWaiters: 20, timeoutMs: 30_000, maxBytes: 1_000_000, maxShare: 0.75, reserved: 0, ...queue },
        selection: { policy: policy ?? 'adaptive', cacheTtlMs: 10 },
        random: seededRandom(seed),
        answer: (ticketId, result) => {
          const asked = this.#asked.get(ticketId);
          assert.ok(asked, `ticket ${ticketId} was answered without being asked`);
          assert.equal(asked.result, null, `ticket ${ticketId} was answered twice`);
          asked.result = result;
          if (result.kind === 'ready') this.served.push(ticketId);
        },
      },
      this.now,
    );
    this.dispatcher.replaceSnapshot('nodes' in nodes ? nodes : fleetOf(nodes), this.now);
  }

  /** Places a new ticket and returns its id. */
  ask(parts: Partial<Ticket> = {}): number {
    this.#lastTicket += 1;
    const ticket = {
      id: this.#lastTicket,
      model: 'm',
      bytes: 100,
      maxWaitMs: 30_000,
      tried: [],
      readmitted: false,
      claim: noClaim,
      ...parts,
    };
    this.#place(ticket);
    return ticket.id;
  }

  /** Places `count` new tickets. */
  askMany(count: number, parts: Partial<Ticket> = {}): number[] {
    return Array.from({ length: count }, () => this.ask(parts));
  }

  /** Ends a served ticket's lease and asks again for the same request, with the node among those tried. */
  retry(id: number, outcome: LeaseOutcome = { kind: 'neutral' }): void {
    const { ticket } = this.#find(id);
    const { node, generation } = this.grant(id);
    const again = { ...ticket, tried: [...ticket.tried, { node, generation }], readmitted: true };
    // As the relay does it: the failed attempt's lease has ended before another is asked for.
    this.release(id, outcome);
    this.#place(again);
  }

  result(id: number): WaitResult | null {
    return this.#find(id).result;
  }

  /** How the ticket was answered; `waiting` where it is not yet. */
  state(id: number): WaitResult['kind'] | 'waiting' {
    return this.result(id)?.kind ?? 'waiting';
  }

  grant(id: number): Grant {
    const result = this.result(id);
    assert.ok(result?.kind === 'ready', `ticket ${id} is ${result?.kind ?? 'waiting'}, not ready`);
    return result.grant;
  }

  release(id: number, outcome: LeaseOutcome = { kind: 'served' }): void {
    this.dispatcher.release(this.grant(id).lease, outcome, this.now);
  }

  cancel(id: number): void {
    this.dispatcher.cancel(id, this.now);
  }

  replaceNodes(nodes: readonly (NodePlan | null)[], settled = true): void {
    this.dispatcher.replaceSnapshot(fleetOf(nodes, settled), this.now);
  }

  counts(): DispatcherCounts {
    return this.dispatcher.counts(this.now);
  }

  /** Leases taken per node, by index. */
  taken(): number[] {
    return this.counts().nodes.map((node) => node.taken);
  }

  /** Moves the clock, with a tick whenever the dispatcher asked for one. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let wake = this.dispatcher.nextWakeAt(); wake !== null && wake <= until; wake = this.dispatcher.nextWakeAt()) {
      this.now = Math.max(this.now, wake);
      this.dispatcher.tick(this.now);
    }
    this.now = until;
  }

  #place(ticket: Ticket): void {
    this.#asked.set(ticket.id, { ticket, result: null });
    this.dispatcher.place(ticket, this.now);
  }

  #find(id: number): { readonly ticket: Ticket; readonly result: WaitResult | null } {
    const asked = this.#asked.get(id);
    assert.ok(asked, `ticket ${id} was never asked`);
    return asked;
  }
}
