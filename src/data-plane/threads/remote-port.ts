import type { Leaving } from '../leaving.ts';
import type { QueueRefusal, QueueStanding } from '../queue-standing.ts';
import type { DispatchPort } from '../dispatcher/dispatch-port.ts';
import type { Grant, LeaseOutcome, NodeRef, Spent, Ticket, WaitResult } from '../dispatcher/ticket.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Board } from './board.ts';
import type { Outbox } from './outbox.ts';
import { MOST_TEXT, type Ring } from './ring.ts';
import { FRESH_MS } from './shelf-keeper.ts';
import type { Shelf } from './shelf.ts';
import {
  type Advance,
  type Question,
  questions,
  readAdvance,
  readResult,
  releaseNumbers,
  ticketNumbers,
  ticketText,
  toDispatcher,
  toRelay,
} from './wire.ts';

// The dispatcher, asked from another thread than its own. A slot given back is worth waking it only where somebody waits or where
// there is something to learn from how the attempt ended: before it places anything it looks by itself at what lies there.
// A ticket whose client has left is answered at once; should a slot have been granted meanwhile, it is given back on arrival.

export interface RemotePortOptions {
  readonly inbox: Ring;
  readonly outbox: Outbox;
  readonly board: Board;
  readonly shelf: Shelf;
  readonly clock: Clock;
  readonly random: () => number;
  /** Brings this thread's snapshot up to the one that slots are granted by. */
  readonly catchUp: (version: number) => void;
  /** Whether the dispatcher learns from first tokens. */
  readonly learns: () => boolean;
}

export class RemotePort implements DispatchPort {
  readonly #inbox: Ring;
  readonly #outbox: Outbox;
  readonly #board: Board;
  readonly #shelf: Shelf;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #catchUp: (version: number) => void;
  readonly #learns: () => boolean;
  readonly #asked = new Map<number, (result: WaitResult) => void>();
  readonly #questions = new Map<number, (answer: readonly number[]) => void>();
  /** By model, the freshest last. */
  readonly #advances = new Map<string, Advance[]>();
  #lastQuestion = 0;

  constructor({ inbox, outbox, board, shelf, clock, random, catchUp, learns }: RemotePortOptions) {
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#board = board;
    this.#shelf = shelf;
    this.#clock = clock;
    this.#random = random;
    this.#catchUp = catchUp;
    this.#learns = learns;
  }

  /** Takes in what has been answered. */
  hear(): void {
    this.#inbox.wakes();
    this.#read();
  }

  nextTicketId(): number {
    return this.#board.nextTicketId();
  }

  refusesUnread(): QueueRefusal | null {
    const { full } = this.#board;
    if (full === null) return null;
    // Each of those that are told so between two turns of the dispatcher has a time of its own.
    const ms = full.firstMs + this.#board.tell() * full.gapMs;
    const standing = { position: this.#board.waiters + 1, estimatedWaitMs: full.estimatedWaitMs };
    return { retryAfterMs: ms * (1 + 0.05 * this.#random()), standing };
  }

  stillRefusesUnread(): boolean {
    return this.#board.full !== null;
  }

  async standing(ticketId: number): Promise<QueueStanding | null> {
    if (!this.#asked.has(ticketId)) return null;
    const [position = 0, estimatedWaitMs = 0] = await this.#ask('standing', '', ticketId);
    return position > 0 ? { position, estimatedWaitMs } : null;
  }

  waitForReadyWithTimeout(ticket: Ticket, leaving: Leaving): Promise<WaitResult> {
    if (leaving.hasLeft) return Promise.resolve({ kind: 'abandoned', waitedMs: null });
    // Engines' names for models are short: nobody offers this one.
    if (ticketText(ticket).length > MOST_TEXT) {
      return Promise.resolve({ kind: 'model-not-found', waitedMs: null });
    }
    const askedAt = this.#clock.now();
    const { startBy } = ticket.claim;
    const isPast = startBy !== null && startBy <= askedAt;
    const grant = ticket.readmitted || isPast ? null : this.#takeAdvance(ticket.model, askedAt);
    if (grant) return Promise.resolve({ kind: 'ready', grant, waitedMs: null });
    return new Promise((resolve) => {
      leaving.tell(() => {
        this.#asked.delete(ticket.id);
        this.#outbox.send(toDispatcher.cancel, [ticket.id]);
        resolve({ kind: 'abandoned', waitedMs: this.#clock.now() - askedAt });
      });
      this.#asked.set(ticket.id, (result) => {
        leaving.tell(null);
        resolve(result);
      });
      this.#outbox.send(toDispatcher.place, ticketNumbers(ticket), ticketText(ticket));
    });
  }

  release(lease: number, outcome: LeaseOutcome, spent: Spent | null = null): void {
    const numbers = releaseNumbers(lease, outcome, spent);
    const canLie = outcome.kind === 'served' || outcome.kind === 'neutral';
    if (!canLie) return this.#outbox.send(toDispatcher.release, numbers);
    this.#outbox.sendLazily(toDispatcher.release, numbers);
    // Read after writing, as the dispatcher looks for returned slots after it has let somebody wait: one of both sees the other.
    if (this.#board.waiters > 0) this.#outbox.urge();
  }

  firstToken(lease: number): void {
    if (!this.#learns()) return;
    this.#outbox.sendLazily(toDispatcher.firstToken, [lease, this.#clock.now()]);
    // As with a slot given back: somebody may wait for what the node can do now.
    if (this.#board.waiters > 0) this.#outbox.urge();
  }

  blame({ node, generation }: NodeRef): void {
    this.#outbox.send(toDispatcher.blame, [node, generation]);
  }

  async mayRetry(): Promise<boolean> {
    return (await this.#ask('mayRetry'))[0] === 1;
  }

  async retryAfterMs(): Promise<number> {
    const [ms = 0] = await this.#ask('retryAfterMs');
    return ms;
  }

  async nextProbeMs(model: string): Promise<number> {
    const [ms = 0] = await this.#ask('nextProbeMs', model);
    return ms;
  }

  async isMissingEverywhere(model: string): Promise<boolean> {
    return (await this.#ask('isMissingEverywhere', model))[0] === 1;
  }

  #read(): void {
    this.#inbox.read((kind, numbers, text) => {
      const [id = 0, ...answer] = numbers;
      switch (kind) {
        case toRelay.answer:
          return this.#answered(id, readResult(numbers, text));
        case toRelay.advance:
          return this.#advanced(readAdvance(numbers, text));
        case toRelay.reply: {
          const resolve = this.#questions.get(id);
          this.#questions.delete(id);
          resolve?.(answer);
        }
      }
    });
  }

  #advanced(advance: Advance): void {
    const advances = this.#advances.get(advance.model);
    if (advances) advances.push(advance);
    else this.#advances.set(advance.model, [advance]);
  }

  /** A slot of the model that was granted in advance, if one is still there and the choice of its node is fresh. */
  #takeAdvance(model: string, now: number): Grant | null {
    this.#read();
    const advances = this.#advances.get(model);
    if (!advances) return null;
    for (;;) {
      const advance = advances.shift();
      if (!advance) {
        this.#advances.delete(model);
        return null;
      }
      if (now - advance.laidAt > FRESH_MS || !this.#shelf.take(advance.cell, advance.id)) continue;
      this.#catchUp(this.#board.version);
      return advance.grant;
    }
  }

  #answered(ticketId: number, result: WaitResult): void {
    const resolve = this.#asked.get(ticketId);
    this.#asked.delete(ticketId);
    if (resolve) {
      // The node it names must be known here before it is looked up.
      if (result.kind === 'ready') this.#catchUp(this.#board.version);
      resolve(result);
    } else if (result.kind === 'ready') this.release(result.grant.lease, { kind: 'neutral' });
  }

  #ask(question: Question, model = '', ticket = 0): Promise<readonly number[]> {
    this.#lastQuestion += 1;
    const id = this.#lastQuestion;
    return new Promise((resolve) => {
      this.#questions.set(id, resolve);
      this.#outbox.send(toDispatcher.ask, [id, questions.indexOf(question), ticket], model);
    });
  }
}
