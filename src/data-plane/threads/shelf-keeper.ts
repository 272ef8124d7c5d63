import type { DirectPort } from '../dispatcher/dispatch-port.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Outbox } from './outbox.ts';
import { MOST_TEXT } from './ring.ts';
import { type Shelf, SHELF_CELLS } from './shelf.ts';
import { advanceNumbers, toRelay } from './wire.ts';

// Slots granted to a thread before it asks. To ask, a thread has to wake the dispatcher's, and to be answered it has to be woken itself:
// on a virtual machine that costs as much as half a request. So while there is room, the dispatcher lays out a few slots
// for the models that the thread has lately asked for, whenever it is awake anyway, and the thread takes them without a word.
// Nothing becomes less exact by it: a slot laid out is counted as taken, it is chosen as any other, and it is called back before
// anybody has to wait, and whenever what it was chosen by has changed. What it costs: the choice is up to 50 ms old.

export const FRESH_MS = 50;
const MOST_PER_MODEL = 8;
const MOST_MODELS = 4;

interface Laid {
  readonly id: number;
  readonly model: string;
  readonly lease: number;
  /** Monotonic ms. */
  readonly laidAt: number;
}

export interface ShelfKeeperOptions {
  readonly shelf: Shelf;
  readonly outbox: Outbox;
  readonly port: DirectPort;
  readonly clock: Clock;
  /** The thread has a lease that it did not ask for. */
  readonly onTaken: (lease: number) => void;
}

export class ShelfKeeper {
  readonly #shelf: Shelf;
  readonly #outbox: Outbox;
  readonly #port: DirectPort;
  readonly #clock: Clock;
  readonly #onTaken: (lease: number) => void;
  /** By cell. */
  readonly #laid: (Laid | null)[] = Array.from({ length: SHELF_CELLS }, () => null);
  /** Models that the thread lately asked for, with how many slots lie there for each. */
  readonly #wanted = new Map<string, number>();
  #lastId = 0;

  constructor({ shelf, outbox, port, clock, onTaken }: ShelfKeeperOptions) {
    this.#shelf = shelf;
    this.#outbox = outbox;
    this.#port = port;
    this.#clock = clock;
    this.#onTaken = onTaken;
  }

  /** The thread has asked for a slot of this model. */
  wants(model: string): void {
    if (this.#wanted.has(model)) return;
    if (this.#wanted.size === MOST_MODELS) {
      for (const [oldest, lying] of this.#wanted) if (lying === 0) this.#wanted.delete(oldest);
      if (this.#wanted.size === MOST_MODELS) return;
    }
    this.#wanted.set(model, 0);
  }

  /** Notes what was taken. */
  look(): void {
    for (let cell = 0; cell < SHELF_CELLS; cell += 1) {
      const laid = this.#laid[cell];
      if (!laid || !this.#shelf.isTaken(cell, laid.id)) continue;
      this.#empty(cell, laid);
      this.#port.advanceTaken(laid.lease, true);
      this.#onTaken(laid.lease);
    }
  }

  /** A lease was given back before it was seen to be taken; false if it never lay here. */
  givenBack(lease: number): boolean {
    const cell = this.#laid.findIndex((laid) => laid?.lease === lease);
    const laid = this.#laid[cell];
    if (!laid) return false;
    this.#empty(cell, laid);
    this.#port.advanceTaken(lease, false);
    return true;
  }

  /** Clears what has lain for too long, and lays out anew what was taken. */
  restock(): void {
    if (this.#wanted.size === 0) return;
    this.look();
    const oldest = this.#clock.now() - FRESH_MS;
    for (let cell = 0; cell < SHELF_CELLS; cell += 1) {
      const laid = this.#laid[cell];
      // Nobody came for it in all that time.
      if (laid && laid.laidAt < oldest && this.#clear(cell, laid)) this.#wanted.delete(laid.model);
    }
    // What the thread has not read yet it has not looked for either.
    if (this.#outbox.hasUnread) return;
    for (const [model, lying] of this.#wanted) {
      for (let count = lying; count < MOST_PER_MODEL; count += 1) if (!this.#lay(model)) break;
    }
  }

  /** Calls everything back; true if anything was still there. */
  recall(): boolean {
    let found = false;
    this.look();
    for (let cell = 0; cell < SHELF_CELLS; cell += 1) {
      const laid = this.#laid[cell];
      if (laid && this.#clear(cell, laid)) found = true;
    }
    return found;
  }

  #lay(model: string): boolean {
    const cell = this.#laid.indexOf(null);
    if (cell < 0) return false;
    const grant = this.#port.advance(model);
    if (!grant) return false;
    if (grant.upstream.length > MOST_TEXT) {
      this.#port.release(grant.lease, { kind: 'neutral' });
      return false;
    }
    this.#lastId += 1;
    const laid = { id: this.#lastId, model, lease: grant.lease, laidAt: this.#clock.now() };
    this.#laid[cell] = laid;
    this.#wanted.set(model, (this.#wanted.get(model) ?? 0) + 1);
    this.#shelf.lay(cell, laid.id);
    this.#outbox.leave(toRelay.advance, advanceNumbers(cell, laid, grant), model + grant.upstream);
    return true;
  }

  #clear(cell: number, laid: Laid): boolean {
    if (!this.#shelf.clear(cell, laid.id)) return false;
    this.#empty(cell, laid);
    this.#port.release(laid.lease, { kind: 'neutral' });
    return true;
  }

  #empty(cell: number, { model }: Laid): void {
    this.#laid[cell] = null;
    const lying = this.#wanted.get(model);
    if (lying !== undefined) this.#wanted.set(model, lying - 1);
  }
}
