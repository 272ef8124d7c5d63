import type { Settings } from '../../fleet/settings.ts';
import type { QueueRefusal, QueueStanding } from '../queue-standing.ts';
import { aboveFull, admissionControl, isFull, placesLeft } from './admission-control.ts';
import type { Fairness } from './fairness.ts';
import { aheadOf, aheadOfNewcomer } from './line.ts';
import type { Placement } from './placement.ts';
import { comeBackMs, GUESSED_MS } from './retry-after.ts';
import type { Ticket } from './ticket.ts';
import { type Forecast, type Obstacle, TurnedAway } from './turned-away.ts';
import type { WaitingRoom } from './waiting-room.ts';

// Who may wait, and when those who may not should come back. Judged in this order: the stages by all waiters, the bytes, the model's share,
// the caller's own waiters, the deadline. The caller's share bites only while there are other callers, so that a single one may use the
// whole room; it leaves places free that nobody may take for a while, which is what others find when they come. Who is refused for it
// is given an appointment: until then it stays out, then it is let in once if any place is free. Its share opens and closes with each step
// of the others, so that without one nobody could say when; with one what is told is kept.
//
// A deadline is judged by a forecast only under pressure (half of the places taken, or half of the longest wait ahead) and once an answer
// has ended, so that there is something to forecast by: below that a wrong forecast would turn away what could be served.

/** For how long after its last request a caller may need places in the waiting room. */
const OTHERS_REMEMBERED_MS = 60_000;
/** For how long a caller that was told to come back may do so. */
const DUE_MS = 10_000;
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
  #queue: Settings['queue'];
  readonly #room: WaitingRoom;
  readonly #placement: Placement;
  readonly #fairness: Fairness;
  readonly #random: () => number;
  readonly #turnedAway = new TurnedAway();

  constructor({ queue, room, placement, fairness, random }: AdmissionOptions) {
    this.#queue = queue;
    this.#room = room;
    this.#placement = placement;
    this.#fairness = fairness;
    this.#random = random;
  }

  /** Judges so from now on; whoever waits already stays. */
  replaceSettings(queue: Settings['queue']): void {
    this.#queue = queue;
  }

  get isFull(): boolean {
    return this.#room.size > 0 && isFull(this.#room.size, this.#queue.maxWaiters);
  }

  /** Judges a ticket for which there is no slot now. */
  judge(ticket: Ticket, now: number): Admitted {
    const obstacle = this.#obstacle(ticket, now);
    if (obstacle) {
      const forecast = this.#forecast(obstacle, ticket, now);
      if (obstacle.why === 'own') this.#sendAway(ticket, now + forecast.ms, now);
      const retryAfterMs = this.#turnedAway.tell(ticket, forecast, now, this.#random);
      return { kind: 'refused', retryAfterMs, standing: this.standingOfNewcomer(ticket, now) };
    }
    if (ticket.readmitted) return { kind: 'waits', eligibleAt: now };
    const { startBy } = ticket.claim;
    if (startBy !== null && this.#isTooLate(ticket, startBy, now)) {
      return { kind: 'late', ...this.late(ticket, startBy - now, now) };
    }
    const decision = admissionControl(this.#room.size, this.#queue.maxWaiters, this.#reservedFor(ticket));
    this.#fairness.accountOf(ticket.claim).awayUntil = -Infinity;
    const delayMs = decision.kind === 'accept-with-delay' ? decision.delayMs : 0;
    return { kind: 'waits', eligibleAt: Math.max(now + delayMs, this.#room.latestEligibleAt()) };
  }

  /** Would it have to wait and be let in now? Changes nothing and forecasts nothing. */
  isOpenTo(ticket: Ticket, now: number): boolean {
    return this.#obstacle(ticket, now) === null;
  }

  /** Ms until the next request should be let in again, of which nothing is known; it is told so. */
  openAgainMs(now: number): number {
    return this.#turnedAway.tell(null, this.#forecastOfRoom(now), now, this.#random);
  }

  /** The same of others that are told so elsewhere: for the first of them, and how much later for each that follows. */
  openAgain(now: number): { readonly firstMs: number; readonly gapMs: number } {
    const forecast = this.#forecastOfRoom(now);
    return { firstMs: this.#turnedAway.peek(forecast, now), gapMs: forecast.gapMs };
  }

  /** So many were. */
  toldElsewhere(count: number, now: number): void {
    if (count > 0) this.#turnedAway.told(count, this.#forecastOfRoom(now), now);
  }

  /** Somebody has left the room: how true was what others were told? */
  placeFreed(now: number): void {
    this.#turnedAway.look((ticket) => this.isOpenTo(ticket, now), now);
  }

  /** What one is told that wanted a slot within `withinMs`: to come back when one like it would get it. */
  late(ticket: Ticket, withinMs: number, now: number): QueueRefusal {
    const perMs = this.#placement.outflow.perMs(ticket.model, this.#room.sizes, now);
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
    const perMs = this.#placement.outflow.perMs(model, this.#room.sizes, now);
    return { position, estimatedWaitMs: perMs > 0 ? position / perMs : position * GUESSED_MS };
  }

  #isTooLate(ticket: Ticket, startBy: number, now: number): boolean {
    if (!this.#placement.outflow.hasServed) return false;
    const { estimatedWaitMs } = this.standingOfNewcomer(ticket, now);
    const { maxWaiters, timeoutMs } = this.#queue;
    const pressure = Math.max(this.#room.size / maxWaiters, estimatedWaitMs / timeoutMs);
    return pressure >= PRESSURE && now + estimatedWaitMs > startBy;
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

  /** What keeps a ticket out that would have to wait; null for nothing. */
  #obstacle(ticket: Ticket, now: number): Obstacle | null {
    const { maxWaiters } = this.#queue;
    const { size } = this.#room;
    if (ticket.readmitted) {
      // Not judged by its bytes: they stay in memory until it is answered, whether it waits or not.
      return size >= maxWaiters ? { why: 'room', ahead: size - maxWaiters + 1 } : null;
    }
    const reserved = this.#reservedFor(ticket);
    if (isFull(size, maxWaiters, reserved)) {
      const own = this.#overOwn(ticket, now);
      // Those that have waiters of their own must see them go, too.
      return own > 1 ? { why: 'own', ahead: own } : { why: 'room', ahead: aboveFull(size, maxWaiters, reserved) };
    }
    if (this.#isOverBytes(ticket)) return { why: 'bytes', ahead: 1 };
    const overShare = this.#overShare(ticket);
    if (overShare > 0) return { why: 'share', ahead: overShare };
    const overOwn = this.#overOwn(ticket, now);
    return overOwn > 0 ? { why: 'own', ahead: overOwn } : null;
  }

  #forecast(obstacle: Obstacle, ticket: Ticket | null, now: number): Forecast {
    const { ahead, why } = obstacle;
    const model = ticket?.model ?? '';
    const awayMs = why === 'own' && ticket ? this.#fairness.accountOf(ticket.claim).awayUntil - now : 0;
    const of = why === 'share' ? model : null;
    const perMs = this.#placement.outflow.perMs(of, this.#room.sizes, now);
    const gapMs = perMs > 0 ? 1 / perMs : GUESSED_MS;
    const freedMs = this.#placement.outflow.afterMs(ahead, of, this.#room.sizes, now) ?? (ahead - 0.2) * gapMs;
    // Who has waited as long as it may leaves, too: that is known exactly.
    const timeoutMs = (ahead - 1) * gapMs + Math.max(0, this.#room.firstDeadlineAt() - now);
    return { obstacle, ms: awayMs > 0 ? awayMs : Math.min(freedMs, timeoutMs), gapMs };
  }

  #forecastOfRoom(now: number): Forecast {
    const ahead = Math.max(1, aboveFull(this.#room.size, this.#queue.maxWaiters));
    return this.#forecast({ why: 'room', ahead }, null, now);
  }

  /**
   * How many must leave before the caller's next may come. While there are others, one may hold as many places as it leaves
   * free below the line where newcomers are refused: half of them where it waits alone, less the more do.
   */
  #overOwn(ticket: Ticket, now: number): number {
    const { claim } = ticket;
    if (now - this.#fairness.othersAskedAt(claim) > OTHERS_REMEMBERED_MS) return 0;
    const free = placesLeft(this.#room.size, this.#queue.maxWaiters, this.#reservedFor(ticket));
    const { waiting, awayUntil } = this.#fairness.accountOf(claim);
    const over = waiting - free + 1;
    if (awayUntil > now && waiting > 0) return Math.max(1, over);
    return now - awayUntil < DUE_MS ? 0 : over;
  }

  /** Until then the caller is not let in beyond its share, and from then on once. */
  #sendAway({ claim }: Ticket, until: number, now: number): void {
    const account = this.#fairness.accountOf(claim);
    if (account.awayUntil <= now) account.awayUntil = until;
  }
}
