import type { Ticket } from './ticket.ts';

// What those are told who are turned away, and whether it was true. Two things are kept here that a forecast of freed slots (retry-after.ts)
// does not know.
//
// The returning order, where the room is full: of a crowd that is turned away together each is told a time of its own, one freed place apart, so that it does not
// come back as one and each finds the place that it was told of. A crowd is what comes faster than has been usual of late: in a long
// overload, where as many are turned away all the time, newcomers take the places anyhow, and each is told when the next comes free. It
// takes no place from anybody: whoever comes first gets it.
//
// How true the last forecasts were: some of those turned away are remembered, and when one of them would have been let in its forecast is
// compared with how long that took. Later forecasts of its kind (what was full, and how many had to go) are multiplied by what would have
// made most of the last ones true within a factor of two. That learns what is not modelled, such as models that change places.

export interface Obstacle {
  /** What is full: the room, by places or bytes, or a model's or a caller's part of it. */
  readonly why: 'room' | 'bytes' | 'share' | 'own';
  /** How many must go first. */
  readonly ahead: number;
}

export interface Forecast {
  readonly obstacle: Obstacle;
  /** Ms until as many have gone. */
  readonly ms: number;
  /** Ms between two that go. */
  readonly gapMs: number;
}

interface Remembered {
  readonly ticket: Ticket;
  readonly at: number;
  /** As it was forecast. */
  readonly ms: number;
  readonly kind: string;
}

/** A client cannot be told less. */
const LEAST_MS = 1_000;
/** Truths that are shorter are none that anybody could be told. */
const LEAST_TRUTH_MS = 500;
const MOST_REMEMBERED = 64;
const FORGOTTEN_MS = 120_000;
/** The first of a crowd comes so much before the forecast, and the next after it. */
const EARLIEST = 0.75;
const JITTER = 0.05;
/** Of those that are told the same, where there is no order. */
const [LEAST_SPREAD, MOST_SPREAD] = [0.8, 1.25];
const GOLDEN = 0.618034;

export class TurnedAway {
  readonly #records = new Map<string, TrackRecord>();
  readonly #remembered = new Set<Remembered>();
  /** The next free time in the returning order, monotonic ms. */
  #nextAt = -Infinity;
  #phase = 0;
  readonly #surge = new Surge();

  /** Ms to come back after, without taking a place in the returning order. */
  peek(forecast: Forecast, now: number): number {
    return Math.max(LEAST_MS, this.#surge.isOn ? this.#ordered(forecast, now) : this.#alone(forecast));
  }

  /** Ms to come back after. */
  tell(ticket: Ticket | null, forecast: Forecast, now: number, random: () => number): number {
    const { why } = forecast.obstacle;
    const isOfCrowd = why === 'room' || why === 'bytes' ? this.#surge.came(1, now) : false;
    const ms = isOfCrowd ? this.#ordered(forecast, now) : this.#alone(forecast) * this.#spread();
    if (isOfCrowd) this.#takePlaces(1, forecast, now);
    if (ticket && why !== 'own' && this.#remembered.size < MOST_REMEMBERED) {
      const kind = kindOf(forecast.obstacle);
      this.#remembered.add({ ticket, at: now, ms: forecast.ms, kind });
    }
    return Math.max(LEAST_MS, ms) * (1 + JITTER * random());
  }

  /** So many were told to come back elsewhere. */
  told(count: number, forecast: Forecast, now: number): void {
    if (this.#surge.came(count, now)) this.#takePlaces(count, forecast, now);
  }

  /** Somebody has left the room: who of those remembered would be let in now? */
  look(isOpen: (ticket: Ticket) => boolean, now: number): void {
    for (const each of this.#remembered) {
      const tookMs = now - each.at;
      if (!isOpen(each.ticket) && tookMs < FORGOTTEN_MS) continue;
      this.#remembered.delete(each);
      if (tookMs >= LEAST_TRUTH_MS) this.#learn(each, tookMs);
    }
  }

  #learn({ kind, ms }: Remembered, tookMs: number): void {
    const record = this.#records.get(kind) ?? new TrackRecord();
    this.#records.set(kind, record);
    record.add(ms, tookMs);
  }

  #alone({ obstacle, ms }: Forecast): number {
    // An appointment is kept.
    return obstacle.why === 'own' ? ms : ms * (this.#records.get(kindOf(obstacle))?.factor ?? 1);
  }

  /** Where nobody else is due about then, the forecast itself; else the next after them. */
  #ordered(forecast: Forecast, now: number): number {
    return Math.max(this.#alone(forecast), this.#nextAt - now);
  }

  #takePlaces(count: number, forecast: Forecast, now: number): void {
    this.#nextAt = Math.max(this.#nextAt, now + EARLIEST * this.#alone(forecast)) + count * forecast.gapMs;
  }

  /** One after the other as far apart as can be (the golden ratio). */
  #spread(): number {
    this.#phase = (this.#phase + GOLDEN) % 1;
    return LEAST_SPREAD + (MOST_SPREAD - LEAST_SPREAD) * this.#phase;
  }
}

/** Powers of the fourth root of 2, a factor of four either way. */
const FACTORS = Array.from({ length: 17 }, (_, nth) => 2 ** ((nth - 8) / 4));
const KEPT = 64;
const FEW = 8;

/** The last forecasts of one kind beside what came true, and the factor that would have made most of them true within a factor of two. */
class TrackRecord {
  readonly #kept: { readonly ms: number; readonly tookMs: number }[] = [];
  #added = 0;
  factor = 1;

  add(ms: number, tookMs: number): void {
    this.#kept[this.#added % KEPT] = { ms, tookMs };
    this.#added += 1;
    if (this.#added % FEW !== 0) return;
    let most = -1;
    for (const factor of FACTORS) {
      // Of equals the one that changes least.
      const score = this.#truths(factor) - Math.abs(Math.log2(factor)) / 8;
      if (score > most) [most, this.factor] = [score, factor];
    }
  }

  #truths(factor: number): number {
    let count = 0;
    for (const { ms, tookMs } of this.#kept) {
      const toldMs = Math.max(LEAST_MS, factor * ms);
      if (toldMs <= 2 * tookMs && 2 * toldMs >= tookMs) count += 1;
    }
    return count;
  }
}

const SOON_MS = 1_000;
const USUALLY_MS = 30_000;

/** Is more turned away than usual? Two moving means of the same count. */
class Surge {
  #soon = 0;
  #usual = 0;
  #at = 0;
  isOn = true;

  /** Counts some more; returns whether there are more than twice as many as usual. */
  came(count: number, now: number): boolean {
    const passedMs = now - this.#at;
    this.#at = now;
    this.#soon = this.#soon * Math.exp(-passedMs / SOON_MS) + count;
    this.#usual = this.#usual * Math.exp(-passedMs / USUALLY_MS) + count;
    this.isOn = this.#soon > (2 * (this.#usual - this.#soon) * SOON_MS) / USUALLY_MS;
    return this.isOn;
  }
}

function kindOf({ why, ahead }: Obstacle): string {
  return `${why} ${Math.min(5, Math.floor(Math.log2(Math.max(1, ahead))))}`;
}
