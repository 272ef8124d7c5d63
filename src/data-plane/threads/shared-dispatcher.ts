import type { FullFor } from '../dispatcher/dispatcher.ts';
import type { Sharing } from '../dispatcher/dispatch-port.ts';
import type { Board } from './board.ts';
import type { RelayDesk } from './relay-desk.ts';

// How the dispatcher's thread takes part in the talk with the others: before each turn it does what lies in their rings, and after
// it puts up what they may want to know. Slots are given back without a wake, so it looks once more after it has let somebody wait:
// a thread that returns a slot looks at the number of waiters after writing, hence one of both sees the other.

export interface SharedCounts {
  readonly waiters: number;
  /** `told`: how many were told so by other threads since. */
  fullFor(told: number): FullFor | null;
}

export class SharedDispatcher implements Sharing {
  readonly #board: Board;
  readonly #desks = new Set<RelayDesk>();
  /** What is asked; set once the port is made, which needs this. */
  #counts: SharedCounts | null = null;
  /** What is done for the threads takes turns of the dispatcher, which are not to lead here again. */
  #isAtIt = false;

  constructor(board: Board) {
    this.#board = board;
  }

  publishes(counts: SharedCounts): void {
    this.#counts = counts;
  }

  open(desk: RelayDesk): void {
    this.#desks.add(desk);
  }

  close(desk: RelayDesk): void {
    this.#desks.delete(desk);
    desk.close();
  }

  nextTicketId(): number {
    return this.#board.nextTicketId();
  }

  /** Does what the threads have asked for and puts up what has come of it. */
  hear(): void {
    this.before();
    this.after();
  }

  before(): void {
    if (this.#isAtIt) return;
    this.#atIt(() => {
      for (const desk of this.#desks) if (desk.hasUnread) desk.hear();
    });
  }

  after(): void {
    if (this.#isAtIt) return;
    this.#publish();
    if (this.#board.waiters === 0) {
      this.#atIt(() => {
        for (const desk of this.#desks) desk.restock();
      });
    }
    while (this.#board.waiters > 0 && this.#hasUnread()) {
      this.before();
      this.#publish();
    }
  }

  recall(): boolean {
    let found = false;
    this.#atIt(() => {
      for (const desk of this.#desks) if (desk.recall()) found = true;
    });
    return found;
  }

  #atIt(run: () => void): void {
    const before = this.#isAtIt;
    this.#isAtIt = true;
    try {
      run();
    } finally {
      this.#isAtIt = before;
    }
  }

  #publish(): void {
    const counts = this.#counts;
    if (!counts) return;
    this.#board.waiters = counts.waiters;
    this.#board.full = counts.fullFor(this.#board.takeTold());
  }

  #hasUnread(): boolean {
    for (const desk of this.#desks) if (desk.hasUnread) return true;
    return false;
  }
}
