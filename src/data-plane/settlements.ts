import type { Settlement } from '../fleet/settlement.ts';
import { packSettlements, type SettlementBatch } from '../fleet/settlement-batch.ts';
import type { Clock } from '../lib/clock.ts';

// Settlements on their way to the control plane, in batches. While it is away (it crashed and is being restarted) they are kept, up
// to a bound; beyond it the oldest are dropped and counted. Nothing here ever makes a request wait.

const BATCH = 256;
const FLUSH_AFTER_MS = 100;
const KEPT = 10_000;

export class Settlements {
  readonly #clock: Clock;
  readonly #post: (batch: SettlementBatch) => boolean;
  #pending: Settlement[] = [];
  #armed = false;
  #dropped = 0;

  /** `post` gives a batch to the control plane; false where it is away. */
  constructor(clock: Clock, post: (batch: SettlementBatch) => boolean) {
    this.#clock = clock;
    this.#post = post;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Those not yet given away. */
  get pending(): number {
    return this.#pending.length;
  }

  add(settlement: Settlement): void {
    this.#pending.push(settlement);
    if (this.#pending.length % BATCH === 0) this.flush();
    else this.#arm();
  }

  flush(): void {
    const pending = this.#pending;
    let sent = 0;
    while (sent < pending.length) {
      // No more at once after a long wait either: the other thread has other things to do in between.
      const batch = pending.length <= BATCH ? pending : pending.slice(sent, sent + BATCH);
      if (!this.#post(packSettlements(batch))) break;
      sent += batch.length;
    }
    this.#pending = sent === pending.length ? [] : pending.slice(sent);
    if (this.#pending.length === 0) return;
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
