import { Heap } from '../../lib/heap.ts';
import type { Account } from './fairness.ts';
import { FlowOrder, type Flow, type LinkedFlow, type LinkedPlace, type Place } from './flow.ts';
import { type Priority, priorities } from '../../fleet/glossary.ts';
import type { Ticket } from './ticket.ts';

// Who waits: one queue per model in order of arrival, and within it three bands by priority, each with its callers in fair order (flow.ts).
// Queues are doubly linked lists: leaving from the middle (a client hangs up) and re-entering near the head (a node failed) are as
// common here as being served from the head.

export interface Waiter {
  readonly ticket: Ticket;
  readonly account: Account;
  readonly enteredAt: number;
  /** No slot is handed to it before. */
  readonly eligibleAt: number;
  /** It waits no longer than this. */
  readonly deadlineAt: number;
  /** True once the fleet offered its model; until then it waits for the fleet to settle. */
  offered: boolean;
}

interface Queue {
  head: LinkedPlace | null;
  tail: LinkedPlace | null;
  size: number;
  /** The most urgent first. */
  readonly bands: readonly FlowOrder[];
}

export class WaitingRoom {
  readonly #queues = new Map<string, Queue>();
  readonly #places = new Map<number, LinkedPlace>();
  /** When a delay or a wait ends, with the ticket's id. Those of waiters that have left are skipped as they come up. */
  readonly #delays = new Heap<number>();
  readonly #deadlines = new Heap<number>();
  /** By band: since when those in it wait, with the ticket's id; those that have left are skipped as they come up. */
  readonly #since = priorities.map(() => new Heap<number>());
  #bytes = 0;

  get size(): number {
    return this.#places.size;
  }

  /** Bytes of the bodies that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  sizeOf(model: string): number {
    return this.#queues.get(model)?.size ?? 0;
  }

  /** Models that somebody waits for. */
  models(): Iterable<string> {
    return this.#queues.keys();
  }

  /** The same, with how many do. */
  get sizes(): ReadonlyMap<string, { readonly size: number }> {
    return this.#queues;
  }

  find(ticketId: number): Waiter | undefined {
    return this.#places.get(ticketId)?.waiter;
  }

  /** The place of the longest waiting of a model; follow `after` for the others. */
  oldestOf(model: string): Place | null {
    return this.#queues.get(model)?.head ?? null;
  }

  /** The callers that wait for a model in one band, in fair order. */
  flowsOf(model: string, band: number): readonly Flow[] {
    return this.#queues.get(model)?.bands[band]?.inOrder ?? [];
  }

  /** A caller's waiters for a model in one band; undefined where it has none there. */
  flowOf(model: string, band: number, account: Account): Flow | undefined {
    return this.#queues.get(model)?.bands[band]?.of(account);
  }

  /** How many wait for a model in one band. */
  sizeOfBand(model: string, band: number): number {
    return this.#queues.get(model)?.bands[band]?.size ?? 0;
  }

  /** Since when the longest waiting of a band does, over all models, in monotonic ms; Infinity while nobody waits there. */
  waitsSince(band: number): number {
    const since = this.#since[band];
    for (let id = since?.peek(); id !== undefined && !this.#places.has(id); id = since?.peek()) since?.pop();
    return since?.peekKey() ?? Infinity;
  }

  placeOf(ticketId: number): Place | undefined {
    return this.#places.get(ticketId);
  }

  /** The tag by which the waiter is to be charged now. */
  tagOf({ account, ticket }: Waiter): number {
    return this.#places.get(ticket.id)?.flow.tag ?? account.tag;
  }

  /** A caller's tag changed: wherever it waits it goes to where it belongs now. */
  moved(account: Account, by: number): void {
    if (account.waiting === 0 || by === 0) return;
    for (const { bands } of this.#queues.values()) {
      for (const flows of bands) {
        const flow = flows.of(account);
        if (flow) flows.move(flow, by);
      }
    }
  }

  /** A copy of everybody, so that the room may be changed while it is walked. */
  all(): Waiter[] {
    return Array.from(this.#places.values(), (place) => place.waiter);
  }

  /** `servedTag` is the highest tag that was served: where nobody waits a caller starts no lower. */
  enter(waiter: Waiter, servedTag = 0): void {
    const { account, ticket } = waiter;
    const { model, id, bytes } = ticket;
    let queue = this.#queues.get(model);
    if (!queue) {
      queue = { head: null, tail: null, size: 0, bands: priorities.map((_priority, band) => new FlowOrder(band)) };
      this.#queues.set(model, queue);
    }
    const flows = queue.bands[bandOf(ticket.claim.priority)];
    if (!flows) return;
    if (account.waiting === 0) account.tag = flows.fit(account.tag) ?? Math.max(account.tag, servedTag);
    account.waiting += 1;
    const flow = flowIn(flows, account);
    // Almost always the tail; a re-entering request walks past those that came after it.
    let before = queue.tail;
    while (before && before.waiter.ticket.id > id) before = before.before;
    const after = before ? before.after : queue.head;
    const place: LinkedPlace = { waiter, flow, before, after, ahead: null, behind: null };
    flows.enter(place);
    if (place.before) place.before.after = place;
    else queue.head = place;
    if (place.after) place.after.before = place;
    else queue.tail = place;
    queue.size += 1;
    this.#places.set(id, place);
    this.#bytes += bytes;
    this.#wakeFor(waiter);
    this.#waitSince(waiter);
  }

  leave(waiter: Waiter): void {
    const { model, id, bytes } = waiter.ticket;
    const place = this.#places.get(id);
    const queue = this.#queues.get(model);
    if (!place || !queue) return;
    if (place.before) place.before.after = place.after;
    else queue.head = place.after;
    if (place.after) place.after.before = place.before;
    else queue.tail = place.before;
    queue.bands[place.flow.band]?.leave(place);
    place.waiter.account.waiting -= 1;
    queue.size -= 1;
    if (queue.size === 0) this.#queues.delete(model);
    this.#places.delete(id);
    this.#bytes -= bytes;
    this.#dropOldWakes();
  }

  /**
   * When the last delay of those who wait ends. A newcomer's delay ends no sooner, or it would overtake: so delays end in
   * the order of arrival, and the youngest newcomer of each queue, which re-entering requests may stand behind, has its latest.
   */
  latestEligibleAt(): number {
    let latest = -Infinity;
    for (const { tail } of this.#queues.values()) {
      let place = tail;
      while (place?.waiter.ticket.readmitted) place = place.before;
      if (place) latest = Math.max(latest, place.waiter.eligibleAt);
    }
    return latest;
  }

  /** When a delay or a wait may end next, in monotonic ms; Infinity while nobody waits. */
  nextWakeAt(): number {
    return Math.min(this.#delays.peekKey() ?? Infinity, this.#deadlines.peekKey() ?? Infinity);
  }

  /** When the first wait will be over, in monotonic ms; Infinity while nobody waits. */
  firstDeadlineAt(): number {
    for (let id = this.#deadlines.peek(); id !== undefined && !this.#places.has(id); id = this.#deadlines.peek()) {
      this.#deadlines.pop();
    }
    return this.#deadlines.peekKey() ?? Infinity;
  }

  /** Passes over the wakes up to `now` and returns those whose time to wait is over; they are still in the room. */
  overdue(now: number): Waiter[] {
    while ((this.#delays.peekKey() ?? Infinity) <= now) this.#delays.pop();
    const overdue = new Set<Waiter>();
    while ((this.#deadlines.peekKey() ?? Infinity) <= now) {
      const waiter = this.find(this.#deadlines.pop() ?? 0);
      if (waiter && waiter.deadlineAt <= now) overdue.add(waiter);
    }
    return [...overdue];
  }

  #waitSince({ ticket, enteredAt }: Waiter): void {
    this.#since[bandOf(ticket.claim.priority)]?.push(enteredAt, ticket.id);
  }

  #wakeFor({ ticket, enteredAt, eligibleAt, deadlineAt }: Waiter): void {
    if (eligibleAt > enteredAt) this.#delays.push(eligibleAt, ticket.id);
    this.#deadlines.push(deadlineAt, ticket.id);
  }

  /** Where most waits end early, their wakes would pile up until their deadlines. */
  #dropOldWakes(): void {
    const since = this.#since.reduce((sum, { size }) => sum + size, 0);
    const wakes = this.#delays.size + this.#deadlines.size + since;
    if (this.size > 0 && wakes <= 4 * this.size + 64) return;
    this.#delays.clear();
    this.#deadlines.clear();
    for (const each of this.#since) each.clear();
    for (const { waiter } of this.#places.values()) {
      this.#wakeFor(waiter);
      this.#waitSince(waiter);
    }
  }
}

/** 0 for the most urgent. */
export function bandOf(priority: Priority): number {
  return priorities.indexOf(priority);
}

function flowIn(flows: FlowOrder, account: Account): LinkedFlow {
  return flows.of(account) ?? flows.open(account, flows.fit(account.tag) ?? account.tag);
}
