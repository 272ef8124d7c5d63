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
  /** True if the fleet offered its model when it came; else it waits for the fleet to settle. */
  readonly offered: boolean;
}

interface Place {
  readonly waiter: Waiter;
  before: Place | null;
  after: Place | null;
}

interface Queue {
  head: Place | null;
  tail: Place | null;
  size: number;
}

export class WaitingRoom {
  readonly #queues = new Map<string, Queue>();
  readonly #places = new Map<number, Place>();
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

  find(ticketId: number): Waiter | undefined {
    return this.#places.get(ticketId)?.waiter;
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
    const place: Place = { waiter, before, after: before ? before.after : queue.head };
    if (place.before) place.before.after = place;
    else queue.head = place;
    if (place.after) place.after.before = place;
    else queue.tail = place;
    queue.size += 1;
    this.#places.set(id, place);
    this.#bytes += bytes;
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
  }

  /** Visits a model's waiters from the oldest on until `visit` returns true. */
  someOf(model: string, visit: (waiter: Waiter) => boolean): boolean {
    for (let place = this.#queues.get(model)?.head ?? null; place; place = place.after) {
      if (visit(place.waiter)) return true;
    }
    return false;
  }

  /** A copy of everybody, so that the room may be changed while it is walked. */
  all(): Waiter[] {
    return Array.from(this.#places.values(), (place) => place.waiter);
  }
}
