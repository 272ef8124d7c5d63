import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Leaving } from '../leaving.ts';
import type { QueueRefusal, QueueStanding } from '../queue-standing.ts';
import type { DispatcherCounts } from './counts.ts';
import { Dispatcher, type DispatcherOptions, type FullFor } from './dispatcher.ts';
import type { Grant, LeaseOutcome, NodeRef, Spent, Ticket, WaitResult } from './ticket.ts';

// The relay's side of the seam. Requests know only the interface: on the dispatcher's own thread its questions are direct calls
// (`DirectPort`, which gives the dispatcher its clock and timer); on other relay threads they are messages
// (threads/remote-port.ts).

/** What a request asks of the dispatcher, wherever that is. */
export interface DispatchPort {
  /** Takes the next place in the order of arrival. */
  nextTicketId(): number;
  /** Before a body is read: what it is told if the request would certainly be refused, else null. */
  refusesUnread(): QueueRefusal | null;
  /** Would it be refused still? Unlike `refusesUnread` it gives nobody a time to come back. */
  stillRefusesUnread(): boolean;
  /** Asks for a slot; resolves once, with `abandoned` at the latest when the request is left. Never rejects. */
  waitForReadyWithTimeout(ticket: Ticket, leaving: Leaving): Promise<WaitResult>;
  /** Ends a lease; `spent` is what its attempt took, where that is known. */
  release(lease: number, outcome: LeaseOutcome, spent?: Spent | null): void;
  /** The first token of a streamed answer has come. */
  firstToken(lease: number): void;
  blame(node: NodeRef): void;
  /** Where a waiting ticket stands, null for one that does not wait; cheap enough to be asked every few seconds. */
  standing(ticketId: number): Answer<QueueStanding | null>;

  // Asked only after an attempt has failed

  /** Pays for one more attempt from the retry budget. */
  mayRetry(): Answer<boolean>;
  /** Ms until a request like those waiting should be accepted again. */
  retryAfterMs(): Answer<number>;
  /** Ms until a node of the model is probed next. */
  nextProbeMs(model: string): Answer<number>;
  /** True where every node that offers the model said of late that it does not know it. */
  isMissingEverywhere(model: string): Answer<boolean>;
}

type Answer<T> = T | Promise<T>;

/** How several threads share the dispatcher of this one; with one thread there is nothing to share. */
export interface Sharing {
  /** The next place in the order of arrival over all threads. */
  nextTicketId(): number;
  /** Called before each turn of the dispatcher: what other threads gave back must be known when it decides. */
  before(): void;
  /** Takes back what was granted in advance and not yet taken; true if there was anything. */
  recall(): boolean;
  /** Called after each turn, with what others should see of it. */
  after(): void;
}

export class DirectPort implements DispatchPort {
  readonly #clock: Clock;
  readonly #dispatcher: Dispatcher;
  readonly #sharing: Sharing | null;
  /** Whether the dispatcher learns anything from first tokens. */
  #learns: boolean;
  readonly #asked = new Map<number, (result: WaitResult) => void>();
  #lastTicket = 0;
  #disarm: (() => void) | null = null;
  #armedFor: number | null = null;

  constructor(options: Omit<DispatcherOptions, 'answer'>, clock: Clock, sharing: Sharing | null = null) {
    this.#clock = clock;
    this.#sharing = sharing;
    this.#learns = options.selection.policy === 'adaptive';
    const answer: DispatcherOptions['answer'] = (ticketId, result) => {
      const resolve = this.#asked.get(ticketId);
      this.#asked.delete(ticketId);
      resolve?.(result);
    };
    const recall = sharing ? () => sharing.recall() : undefined;
    this.#dispatcher = new Dispatcher({ ...options, answer, ...(recall ? { recall } : {}) }, clock.now());
  }

  nextTicketId(): number {
    if (this.#sharing) return this.#sharing.nextTicketId();
    this.#lastTicket += 1;
    return this.#lastTicket;
  }

  waitForReadyWithTimeout(ticket: Ticket, leaving: Leaving): Promise<WaitResult> {
    if (leaving.hasLeft) return Promise.resolve({ kind: 'abandoned', waitedMs: null });
    return new Promise((resolve) => {
      leaving.tell(() => this.cancel(ticket.id));
      this.place(ticket, (result) => {
        leaving.tell(null);
        resolve(result);
      });
    });
  }

  /** Asks for a slot; `answer` is called once, perhaps before this returns. */
  place(ticket: Ticket, answer: (result: WaitResult) => void): void {
    this.#asked.set(ticket.id, answer);
    this.#tell((dispatcher, now) => dispatcher.place(ticket, now));
  }

  /** Ends a wait with `abandoned`; nothing where the ticket has its answer. */
  cancel(ticketId: number): void {
    this.#tell((dispatcher, now) => dispatcher.cancel(ticketId, now));
  }

  release(lease: number, outcome: LeaseOutcome, spent: Spent | null = null): void {
    // What it says of its node may be a reason not to have chosen it.
    if (outcome.kind !== 'served' && outcome.kind !== 'neutral') this.#sharing?.recall();
    this.#tell((dispatcher, now) => dispatcher.release(lease, outcome, now, spent));
  }

  /** `at`: when it came, monotonic ms, where that is not now. */
  firstToken(lease: number, at?: number): void {
    if (this.#learns) this.#tell((dispatcher, now) => dispatcher.firstToken(lease, at ?? now));
  }

  blame(node: NodeRef): void {
    this.#sharing?.recall();
    this.#tell((dispatcher, now) => dispatcher.blame(node, now));
  }

  /** A slot for a request that is yet to come; null where slots are not plentiful. Not a turn: nothing is told to other threads. */
  advance(model: string): Grant | null {
    return this.#dispatcher.advance(model, this.#clock.now());
  }

  /** A slot granted in advance is used: since now, if `isFresh`, else since it was granted. */
  advanceTaken(lease: number, isFresh: boolean): void {
    this.#dispatcher.advanceTaken(lease, isFresh, this.#clock.now());
  }

  mayRetry(): boolean {
    return this.#dispatcher.mayRetry(this.#clock.now());
  }

  refusesUnread(): QueueRefusal | null {
    return this.#dispatcher.refusesUnread(this.#clock.now());
  }

  stillRefusesUnread(): boolean {
    return this.#dispatcher.isFullAnywhere;
  }

  /** As `refusesUnread`, for other threads to tell; `told` of them did since. */
  fullFor(told: number): FullFor | null {
    return this.#dispatcher.fullFor(told, this.#clock.now());
  }

  retryAfterMs(): number {
    return this.#dispatcher.retryAfterMs(this.#clock.now());
  }

  nextProbeMs(model: string): number {
    return this.#dispatcher.nextProbeMs(model, this.#clock.now());
  }

  isMissingEverywhere(model: string): boolean {
    return this.#dispatcher.isMissingEverywhere(model, this.#clock.now());
  }

  standing(ticketId: number): QueueStanding | null {
    return this.#dispatcher.standing(ticketId, this.#clock.now());
  }

  replaceSnapshot(snapshot: FleetSnapshot): void {
    this.#sharing?.recall();
    this.#tell((dispatcher, now) => dispatcher.replaceSnapshot(snapshot, now));
  }

  replaceSettings(settings: Pick<DispatcherOptions, 'queue' | 'selection'>): void {
    this.#sharing?.recall();
    this.#learns = settings.selection.policy === 'adaptive';
    this.#tell((dispatcher, now) => dispatcher.replaceSettings(settings, now));
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    this.#dispatcher.replaceTelemetry(nodes);
  }

  drain(): void {
    this.#sharing?.recall();
    this.#tell((dispatcher, now) => dispatcher.drain(now));
  }

  get waiters(): number {
    return this.#dispatcher.waiters;
  }

  counts(): DispatcherCounts {
    this.#sharing?.before();
    // What nobody has taken is no open lease.
    this.#sharing?.recall();
    return this.#dispatcher.counts(this.#clock.now());
  }

  #tell(message: (dispatcher: Dispatcher, now: number) => void): void {
    this.#sharing?.before();
    message(this.#dispatcher, this.#clock.now());
    this.#arm();
    this.#sharing?.after();
  }

  #arm(): void {
    const wakeAt = this.#dispatcher.nextWakeAt();
    if (wakeAt === this.#armedFor) return;
    this.#disarm?.();
    this.#armedFor = wakeAt;
    this.#disarm =
      wakeAt === null
        ? null
        : this.#clock.after(Math.max(0, wakeAt - this.#clock.now()), () => {
            this.#armedFor = null;
            this.#disarm = null;
            this.#tell((dispatcher, now) => dispatcher.tick(now));
          });
  }
}
