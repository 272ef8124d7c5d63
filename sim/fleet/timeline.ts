import type { Clock } from '../../src/lib/clock.ts';

// The virtual clock and its events. What is due at the same instant runs in the order in which it was planned, so that a
// run is the same on every machine. It is a `Clock`, so that code written for real timers runs under it.

/** No instant of an honest run has so many events: something plans itself anew without time passing. */
const MOST_AT_ONCE = 1_000_000;

interface Planned {
  readonly dueAt: number;
  readonly sequence: number;
  run: (() => void) | null;
}

export class Timeline implements Clock {
  #now = 0;
  #sequence = 0;
  readonly #heap: Planned[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.#now + Math.max(0, ms), run);
  }

  /** Plans `run` for an instant, at the earliest now; the returned function cancels it. */
  at(dueAt: number, run: () => void): () => void {
    const planned: Planned = { dueAt: Math.max(this.#now, dueAt), sequence: this.#sequence++, run };
    this.#push(planned);
    return () => {
      planned.run = null;
    };
  }

  /** Runs what is due until nothing is left or the next thing is due after `untilMs`. Throws an Error where time stands still. */
  run(untilMs: number): void {
    let atOnce = 0;
    for (let next = this.#heap[0]; next && next.dueAt <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (!next.run) continue;
      atOnce = next.dueAt === this.#now ? atOnce + 1 : 0;
      if (atOnce > MOST_AT_ONCE) throw new Error(`time stands still at ${this.#now} ms`);
      this.#now = next.dueAt;
      next.run();
    }
    this.#now = Math.max(this.#now, Math.min(untilMs, Number.MAX_VALUE));
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(planned);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, planned)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (!left) break;
      const right = heap[child + 1];
      const least = right && isBefore(right, left) ? right : left;
      if (least === right) child += 1;
      if (isBefore(last, least)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.dueAt === b.dueAt ? a.sequence < b.sequence : a.dueAt < b.dueAt;
}
