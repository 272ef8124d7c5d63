import { priorities } from '../../fleet/glossary.ts';
import type { WaitingRoom } from './waiting-room.ts';

// Which band is served first. The most urgent, unless a band below it has aged: once one of its waiters has waited for a third of the
// longest wait allowed, it is given every fourth slot that others before it would get. So nobody starves, and what is urgent keeps at
// least half of the slots.
//
// It is bands that age, not requests: would the old ones move up, one caller's backlog would pass the newcomers of all others, which share
// their band with it fairly.

const AGED_SHARE = 1 / 3;
/** Slots that go to others before an aged band's turn. */
const PATIENCE = 3;

const bands = priorities.map((_priority, band) => band);

export class BandOrder {
  #agedMs: number;
  /** By band: slots given to others since its last, while it was aged. */
  readonly #passed = bands.map(() => 0);

  /** `longestWaitMs`: how long a request may wait at most. */
  constructor(longestWaitMs: number) {
    this.#agedMs = longestWaitMs * AGED_SHARE;
  }

  replaceLongestWait(longestWaitMs: number): void {
    this.#agedMs = longestWaitMs * AGED_SHARE;
  }

  /** The bands in the order in which they are asked for somebody to serve. */
  order(room: WaitingRoom, now: number): readonly number[] {
    for (const band of bands) if (now - room.waitsSince(band) < this.#agedMs) this.#passed[band] = 0;
    const due = bands.find((band) => band > 0 && (this.#passed[band] ?? 0) >= PATIENCE);
    return due === undefined ? bands : [due, ...bands.filter((band) => band !== due)];
  }

  /** A slot was given to a waiter of the band. */
  served(band: number): void {
    for (const each of bands) this.#passed[each] = each === band ? 0 : (this.#passed[each] ?? 0) + 1;
  }
}
