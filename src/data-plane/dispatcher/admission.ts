import type { Settings } from '../../fleet/settings.ts';
import { aboveFull, admissionControl, isFull, placesLeft } from './admission-control.ts';
import type { Fairness } from './fairness.ts';
import type { Placement } from './placement.ts';
import { comeBackMs } from './retry-after.ts';
import type { Ticket } from './ticket.ts';
import type { WaitingRoom } from './waiting-room.ts';

// Who may wait, and when those who may not should come back. Judged in this order: the stages by all waiters, the bytes, the model's share,
// the caller's own waiters. The last bites only while there are other callers, so that a single one may use the whole room; it leaves
// places free that nobody may take for a while, which is what others find when they come.

/** For how long after its last request a caller may need places in the waiting room. */
const OTHERS_REMEMBERED_MS = 60_000;

export type Admitted =
  /** `eligibleAt`: no slot is handed to it before. */
  { readonly kind: 'waits'; readonly eligibleAt: number } | { readonly kind: 'refused'; readonly retryAfterMs: number };

export interface AdmissionOptions {
  readonly queue: Settings['queue'];
  readonly room: WaitingRoom;
  readonly placement: Placement;
  readonly fairness: Fairness;
  readonly random: () => number;
}

export class Admission {
  readonly #queue: Settings['queue'];
  readonly #room: WaitingRoom;
  readonly #placement: Placement;
  readonly #fairness: Fairness;
  readonly #random: () => number;

  constructor({ queue, room, placement, fairness, random }: AdmissionOptions) {
    this.#queue = queue;
    this.#room = room;
    this.#placement = placement;
    this.#fairness = fairness;
    this.#random = random;
  }

  get isFull(): boolean {
    return this.#room.size > 0 && isFull(this.#room.size, this.#queue.maxWaiters);
  }

  /** Judges a ticket for which there is no slot now. */
  judge(ticket: Ticket, now: number): Admitted {
    const { maxWaiters } = this.#queue;
    const refused = (retryAfterMs = this.openAgainMs(now)): Admitted => ({ kind: 'refused', retryAfterMs });
    if (ticket.readmitted) {
      // Not judged by its bytes: they stay in memory until it is answered, whether it waits or not.
      return this.#room.size >= maxWaiters ? refused() : { kind: 'waits', eligibleAt: now };
    }
    const decision = admissionControl(this.#room.size, maxWaiters);
    if (decision.kind === 'reject' || this.#isOverBytes(ticket)) return refused();
    const overShare = this.#overShare(ticket);
    if (overShare > 0) return refused(this.#shareOpenMs(ticket, overShare, now));
    const overOwn = this.#overOwn(ticket, now);
    if (overOwn > 0) return refused(this.openAgainMs(now, this.#random, overOwn));
    const delayMs = decision.kind === 'accept-with-delay' ? decision.delayMs : 0;
    return { kind: 'waits', eligibleAt: Math.max(now + delayMs, this.#room.latestEligibleAt()) };
  }

  /** Ms until the next request should be let in again: when `ahead` more have left the room. */
  openAgainMs(now: number, random = this.#random, ahead = this.#aboveFull): number {
    const perMs = this.#placement.slotsFreedPerMs(null, this.#room.sizes, now);
    return comeBackMs({ ahead, perMs, firstTimeoutMs: this.#room.firstDeadlineAt() - now }, random);
  }

  /** Ms until a request for the model that may wait for so long should be given a slot. */
  servedAfterMs({ model, maxWaitMs }: Ticket, now: number): number {
    const perMs = this.#placement.slotsFreedPerMs(model, this.#room.sizes, now);
    const ahead = Math.ceil(this.#room.sizeOf(model) - perMs * maxWaitMs);
    return comeBackMs({ ahead, perMs, firstTimeoutMs: Infinity }, this.#random);
  }

  get #aboveFull(): number {
    return aboveFull(this.#room.size, this.#queue.maxWaiters);
  }

  #isOverBytes({ bytes }: Ticket): boolean {
    return this.#room.bytes + bytes > this.#queue.maxBytes;
  }

  /** How many waiters for the model must leave before another may come. */
  #overShare({ model }: Ticket): number {
    if (this.#placement.snapshot.models.size <= 1) return 0;
    const { maxShare, maxWaiters } = this.#queue;
    return this.#room.sizeOf(model) - Math.floor(maxShare * maxWaiters) + 1;
  }

  #shareOpenMs({ model }: Ticket, ahead: number, now: number): number {
    const perMs = this.#placement.slotsFreedPerMs(model, this.#room.sizes, now);
    return comeBackMs({ ahead, perMs, firstTimeoutMs: this.#room.firstDeadlineAt() - now }, this.#random);
  }

  /**
   * How many must leave before the caller's next may come. While there are others, one may hold as many places as it leaves
   * free below the line where newcomers are refused: half of them where it waits alone, less the more do.
   */
  #overOwn({ claim }: Ticket, now: number): number {
    if (now - this.#fairness.othersAskedAt(claim) > OTHERS_REMEMBERED_MS) return 0;
    const free = placesLeft(this.#room.size, this.#queue.maxWaiters);
    return this.#fairness.accountOf(claim).waiting - free + 1;
  }
}
