import type { Settlement } from '../fleet/settlement.ts';
import type { Clock } from '../lib/clock.ts';

// Settlements on their way to the control plane, in batches. While it is away (it crashed and is being restarted) they are kept, up
// to a bound; beyond it the oldest are dropped and counted. Nothing here ever makes a request wait.

const BATCH = 256;
const FLUSH_AFTER_MS = 100;
const KEPT = 10_000;

export class Settlements {
  readonly #clock: Clock;
  readonly #post: (batch: readonly Settlement[]) => boolean;
  #pending: Settlement[] = [];
  #armed = false;
  #dropped = 0;

  /** `post` gives a batch to the control plane; false where it is away. */
  constructor(clock: Clock, post: (batch: readonly Settlement[]) => boolean) {
    this.#clock = clock;
    this.#post = post;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(settlement: Settlement): void {
    this.#pending.push(settlement);
    if (this.#pending.length % BATCH === 0) this.flush();
    else this.#arm();
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    if (this.#post(this.#pending)) {
      this.#pending = [];
      return;
    }
    this.#arm();
    const surplus = this.#pending.length - KEPT;
    if (surplus <= 0) return;
    this.#pending.splice(0, surplus);
    this.#dropped += surplus;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.after(FLUSH_AFTER_MS, () => {
      this.#armed = false;
      this.flush();
    });
  }
}
