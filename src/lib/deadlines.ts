import type { Clock } from './clock.ts';

// Deadlines that are almost always cancelled: a body arrives, a node answers. A timer of the system for each would cost several
// microseconds a request. Those of one length fall due in the order they were set, so each length is a list with one timer,
// set for its first entry; a cancelled entry leaves its list at once, and the timer, when it fires, goes on to what is then first.

/** One deadline that was set; in a list while it is pending. */
export class Deadline {
  readonly dueAt: number;
  readonly run: () => void;
  before: Deadline | null = null;
  after: Deadline | null = null;
  list: Row | null = null;

  constructor(dueAt: number, run: () => void) {
    this.dueAt = dueAt;
    this.run = run;
  }

  /** It will not run. Does nothing where it ran or was cancelled. */
  cancel(): void {
    this.list?.remove(this);
  }
}

interface Row {
  remove(deadline: Deadline): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #rows = new Map<number, DeadlineRow>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `run` once `ms` from now unless cancelled before. For lengths that settings tell: each is kept a list for good. */
  set(ms: number, run: () => void): Deadline {
    let row = this.#rows.get(ms);
    if (!row) {
      row = new DeadlineRow(this.#clock);
      this.#rows.set(ms, row);
    }
    return row.add(this.#clock.now() + ms, run);
  }

  /** As `set`, for a length that will hardly come again. */
  setOnce(ms: number, run: () => void): Deadline {
    return new DeadlineRow(this.#clock).add(this.#clock.now() + ms, run);
  }
}

class DeadlineRow implements Row {
  readonly #clock: Clock;
  #first: Deadline | null = null;
  #last: Deadline | null = null;
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(dueAt: number, run: () => void): Deadline {
    const deadline = new Deadline(dueAt, run);
    deadline.list = this;
    deadline.before = this.#last;
    if (this.#last) this.#last.after = deadline;
    else this.#first = deadline;
    this.#last = deadline;
    if (!this.#isArmed) this.#arm(deadline);
    return deadline;
  }

  remove(deadline: Deadline): void {
    const { before, after } = deadline;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    deadline.before = null;
    deadline.after = null;
    deadline.list = null;
  }

  #arm({ dueAt }: Deadline): void {
    this.#isArmed = true;
    this.#clock.after(Math.max(0, dueAt - this.#clock.now()), () => this.#fire());
  }

  #fire(): void {
    this.#isArmed = false;
    const now = this.#clock.now();
    for (let first = this.#first; first && first.dueAt <= now; first = this.#first) {
      this.remove(first);
      first.run();
    }
    if (this.#first && !this.#isArmed) this.#arm(this.#first);
  }
}
