import type { DirectPort } from '../dispatcher/dispatch-port.ts';
import type { WaitResult } from '../dispatcher/ticket.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Outbox } from './outbox.ts';
import { MOST_TEXT, type Ring } from './ring.ts';
import { ShelfKeeper } from './shelf-keeper.ts';
import type { Shelf } from './shelf.ts';
import {
  questions,
  readNode,
  readOutcome,
  readSpent,
  readTicket,
  resultNumbers,
  toDispatcher,
  toRelay,
  type Question,
} from './wire.ts';

// The dispatcher's side of one relay thread: it puts the thread's tickets to the dispatcher and lists what the thread holds, so that
// nothing is lost when it dies.

export interface RelayDeskOptions {
  readonly inbox: Ring;
  readonly outbox: Outbox;
  readonly port: DirectPort;
  readonly shelf: Shelf;
  readonly clock: Clock;
}

export class RelayDesk {
  readonly #inbox: Ring;
  readonly #outbox: Outbox;
  readonly #port: DirectPort;
  readonly #tickets = new Set<number>();
  readonly #leases = new Set<number>();
  readonly #keeper: ShelfKeeper;
  #isClosed = false;

  constructor({ inbox, outbox, port, shelf, clock }: RelayDeskOptions) {
    this.#keeper = new ShelfKeeper({ shelf, outbox, port, clock, onTaken: (lease) => void this.#leases.add(lease) });
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#port = port;
  }

  get hasUnread(): boolean {
    return this.#inbox.hasUnread;
  }

  /** The thread asked to be heard: its next wake counts anew. */
  wakes(): void {
    this.#inbox.wakes();
  }

  /** Does all that the thread has asked for. */
  hear(): void {
    this.#inbox.read((kind, numbers, text) => this.#take(kind, numbers, text));
  }

  /** Lays out slots for what it may ask for next. */
  restock(): void {
    this.#keeper.restock();
  }

  /** Calls back what lies there; true if there was anything. */
  recall(): boolean {
    return this.#keeper.recall();
  }

  /** The thread is no more: its tickets leave, and its leases end without a word about their nodes. */
  close(): void {
    this.#isClosed = true;
    this.#keeper.recall();
    for (const ticket of this.#tickets) this.#port.cancel(ticket);
    for (const lease of this.#leases) this.#port.release(lease, { kind: 'neutral' });
    this.#tickets.clear();
    this.#leases.clear();
  }

  #take(kind: number, numbers: readonly number[], text: string): void {
    if (this.#isClosed) return;
    const [first = 0, second = 0] = numbers;
    switch (kind) {
      case toDispatcher.place: {
        this.#tickets.add(first);
        const ticket = readTicket(numbers, text);
        this.#keeper.wants(ticket.model);
        this.#port.place(ticket, (result) => {
          this.#tickets.delete(first);
          this.#answer(first, result);
        });
        return;
      }
      case toDispatcher.cancel:
        this.#port.cancel(first);
        return;
      case toDispatcher.release:
        if (!this.#leases.delete(first)) this.#keeper.givenBack(first);
        this.#port.release(first, readOutcome(numbers), readSpent(numbers));
        return;
      case toDispatcher.firstToken:
        this.#port.firstToken(first, second);
        return;
      case toDispatcher.blame:
        this.#port.blame(readNode(numbers));
        return;
      case toDispatcher.ask: {
        const question = questions[second];
        if (question) this.#outbox.send(toRelay.reply, [first, ...this.#ask(question, text, numbers[2] ?? 0)]);
      }
    }
  }

  #answer(ticket: number, result: WaitResult): void {
    if (result.kind !== 'ready') {
      if (!this.#isClosed) this.#outbox.send(toRelay.answer, resultNumbers(ticket, result));
      return;
    }
    const { lease, upstream } = result.grant;
    if (this.#isClosed) return this.#port.release(lease, { kind: 'neutral' });
    if (upstream.length > MOST_TEXT) {
      // No engine takes such a name.
      this.#port.release(lease, { kind: 'neutral' });
      return this.#answer(ticket, { kind: 'model-not-found', waitedMs: result.waitedMs });
    }
    this.#leases.add(lease);
    this.#outbox.send(toRelay.answer, resultNumbers(ticket, result), upstream);
  }

  #ask(question: Question, model: string, ticket: number): readonly number[] {
    switch (question) {
      case 'mayRetry':
        return [Number(this.#port.mayRetry())];
      case 'retryAfterMs':
        return [this.#port.retryAfterMs()];
      case 'nextProbeMs':
        return [this.#port.nextProbeMs(model)];
      case 'isMissingEverywhere':
        return [Number(this.#port.isMissingEverywhere(model))];
      case 'standing': {
        const standing = this.#port.standing(ticket);
        return standing ? [standing.position, standing.estimatedWaitMs] : [];
      }
    }
  }
}
