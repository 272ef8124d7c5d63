import { Heap } from '../../lib/heap.ts';
import type { Ticket } from './ticket.ts';

// Who waits, in order of arrival, one queue per model. A queue is a doubly linked list: leaving from the middle (a client
// hangs up) and re-entering near the head (a node failed) are as common here as being served from the head.

export interface Waiter {
  readonly ticket: Ticket;
  readonly enteredAt: number;
  /** No slot is handed to it before. */
  readonly eligibleAt: number;
  /** It waits no longer than this. */
  readonly deadlineAt: number;
  /** True once the fleet offered its model; until then it waits for the fleet to settle. */
  offered: boolean;
}

export interface Place {
  readonly waiter: Waiter;
  /** Who came next for the same model. */
  readonly after: Place | null;
}

interface LinkedPlace extends Place {
  before: LinkedPlace | null;
  after: LinkedPlace | null;
}

interface Queue {
  head: LinkedPlace | null;
  tail: LinkedPlace | null;
  size: number;
}

export class WaitingRoom {
  readonly #queues = new Map<string, Queue>();
  readonly #places = new Map<number, LinkedPlace>();
  /** When a delay or a wait ends, with the ticket's id. Those of waiters that have left are skipped as they come up. */
  readonly #delays = new Heap<number>();
  readonly #deadlines = new Heap<number>();
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

  /** A copy of everybody, so that the room may be changed while it is walked. */
  all(): Waiter[] {
    return Array.from(this.#places.values(), (place) => place.waiter);
  }

  enter(waiter: Waiter): void {
    const { model, id, bytes } = waiter.ticket;
    let queue = this.#queues.get(model);
    if (!queue) {
      queue = { head: null, tail: null, size: 0 };
      this.#queues.set(model, queue);
    }
    // Almost always the tail; a re-entering request walks past those that came after it.
    let before = queue.tail;
    while (before && before.waiter.ticket.id > id) before = before.before;
    const place: LinkedPlace = { waiter, before, after: before ? before.after : queue.head };
    if (place.before) place.before.after = place;
    else queue.head = place;
    if (place.after) place.after.before = place;
    else queue.tail = place;
    queue.size += 1;
    this.#places.set(id, place);
    this.#bytes += bytes;
    this.#wakeFor(waiter);
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

  #wakeFor({ ticket, enteredAt, eligibleAt, deadlineAt }: Waiter): void {
    if (eligibleAt > enteredAt) this.#delays.push(eligibleAt, ticket.id);
    this.#deadlines.push(deadlineAt, ticket.id);
  }

  /** Where most waits end early, their wakes would pile up until their deadlines. */
  #dropOldWakes(): void {
    if (this.size > 0 && this.#delays.size + this.#deadlines.size <= 4 * this.size + 64) return;
    this.#delays.clear();
    this.#deadlines.clear();
    for (const { waiter } of this.#places.values()) this.#wakeFor(waiter);
  }
}
