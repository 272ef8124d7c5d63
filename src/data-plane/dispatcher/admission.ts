import type { Settings } from '../../fleet/settings.ts';
import type { QueueRefusal, QueueStanding } from '../queue-standing.ts';
import { aboveFull, admissionControl, isFull, placesLeft } from './admission-control.ts';
import type { Fairness } from './fairness.ts';
import { aheadOf, aheadOfNewcomer } from './line.ts';
import type { Placement } from './placement.ts';
import { comeBackMs, GUESSED_MS } from './retry-after.ts';
import type { Ticket } from './ticket.ts';
import type { WaitingRoom } from './waiting-room.ts';

// Who may wait, and when those who may not should come back. Judged in this order: the stages by all waiters, the bytes, the model's share,
// the caller's own waiters, the deadline. The caller's share bites only while there are other callers, so that a single one may use the
// whole room; it leaves places free that nobody may take for a while, which is what others find when they come.
//
// A deadline is judged by a forecast only under pressure (half of the places taken, or half of the longest wait ahead) and once an answer
// has ended, so that there is something to forecast by: below that a wrong forecast would turn away what could be served.

/** For how long after its last request a caller may need places in the waiting room. */
const OTHERS_REMEMBERED_MS = 60_000;
const PRESSURE = 0.5;

export type Admitted =
  /** `eligibleAt`: no slot is handed to it before. */
  | { readonly kind: 'waits'; readonly eligibleAt: number }
  /** `late`: it would be let in, but its turn would come too late. */
  | (QueueRefusal & { readonly kind: 'refused' | 'late' });

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
    const refused = (retryAfterMs = this.openAgainMs(now)): Admitted => ({
      kind: 'refused',
      retryAfterMs,
      standing: this.standingOfNewcomer(ticket, now),
    });
    if (ticket.readmitted) {
      // Not judged by its bytes: they stay in memory until it is answered, whether it waits or not.
      return this.#room.size >= maxWaiters ? refused() : { kind: 'waits', eligibleAt: now };
    }
    const reserved = this.#reservedFor(ticket);
    const decision = admissionControl(this.#room.size, maxWaiters, reserved);
    if (decision.kind === 'reject' || this.#isOverBytes(ticket)) {
      return refused(this.openAgainMs(now, this.#random, aboveFull(this.#room.size, maxWaiters, reserved)));
    }
    const overShare = this.#overShare(ticket);
    if (overShare > 0) return refused(this.#shareOpenMs(ticket, overShare, now));
    const overOwn = this.#overOwn(ticket, now);
    if (overOwn > 0) return refused(this.openAgainMs(now, this.#random, overOwn));
    const { startBy } = ticket.claim;
    if (startBy !== null && this.#isTooLate(ticket, startBy, now)) {
      return { kind: 'late', ...this.late(ticket, startBy - now, now) };
    }
    const delayMs = decision.kind === 'accept-with-delay' ? decision.delayMs : 0;
    return { kind: 'waits', eligibleAt: Math.max(now + delayMs, this.#room.latestEligibleAt()) };
  }

  /** Ms until the next request should be let in again: when `ahead` more have left the room. */
  openAgainMs(now: number, random = this.#random, ahead = this.#aboveFull): number {
    const perMs = this.#placement.slotsFreedPerMs(null, this.#room.sizes, now);
    return comeBackMs({ ahead, perMs, firstTimeoutMs: this.#room.firstDeadlineAt() - now }, random);
  }

  /** What one is told that wanted a slot within `withinMs`: to come back when one like it would get it. */
  late(ticket: Ticket, withinMs: number, now: number): QueueRefusal {
    const perMs = this.#placement.slotsFreedPerMs(ticket.model, this.#room.sizes, now);
    const inFront = aheadOfNewcomer(this.#room, ticket, this.#fairness.accountOf(ticket.claim));
    const ahead = Math.ceil(inFront - perMs * Math.max(0, withinMs));
    return {
      retryAfterMs: comeBackMs({ ahead, perMs, firstTimeoutMs: Infinity }, this.#random),
      standing: this.standingOf(ticket, now) ?? this.#standing(inFront + 1, ticket.model, now),
    };
  }

  /** Where a waiter stands; null for a ticket that does not wait. */
  standingOf({ id, model }: Pick<Ticket, 'id' | 'model'>, now: number): QueueStanding | null {
    const place = this.#room.placeOf(id);
    return place ? this.#standing(aheadOf(this.#room, place) + 1, model, now) : null;
  }

  /** Where it would stand if it came to wait now. */
  standingOfNewcomer(ticket: Ticket, now: number): QueueStanding {
    const ahead = aheadOfNewcomer(this.#room, ticket, this.#fairness.accountOf(ticket.claim));
    return this.#standing(ahead + 1, ticket.model, now);
  }

  /** Where somebody would stand of whom nothing is known yet. */
  standingOfAnybody(now: number): QueueStanding {
    return this.#standing(this.#room.size + 1, null, now);
  }

  #standing(position: number, model: string | null, now: number): QueueStanding {
    const perMs = this.#placement.slotsFreedPerMs(model, this.#room.sizes, now);
    return { position, estimatedWaitMs: perMs > 0 ? position / perMs : position * GUESSED_MS };
  }

  #isTooLate(ticket: Ticket, startBy: number, now: number): boolean {
    if (!this.#placement.hasServed) return false;
    const { estimatedWaitMs } = this.standingOfNewcomer(ticket, now);
    const { maxWaiters, timeoutMs } = this.#queue;
    const pressure = Math.max(this.#room.size / maxWaiters, estimatedWaitMs / timeoutMs);
    return pressure >= PRESSURE && now + estimatedWaitMs > startBy;
  }

  get #aboveFull(): number {
    return aboveFull(this.#room.size, this.#queue.maxWaiters);
  }

  #reservedFor({ claim }: Ticket): number {
    return claim.priority === 'high' ? this.#queue.reserved : 0;
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
  #overOwn(ticket: Ticket, now: number): number {
    const { claim } = ticket;
    if (now - this.#fairness.othersAskedAt(claim) > OTHERS_REMEMBERED_MS) return 0;
    const free = placesLeft(this.#room.size, this.#queue.maxWaiters, this.#reservedFor(ticket));
    return this.#fairness.accountOf(claim).waiting - free + 1;
  }
}
