import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Leaving } from '../leaving.ts';
import type { DispatcherCounts } from './counts.ts';
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import type { LeaseOutcome, NodeRef, Ticket, WaitResult } from './ticket.ts';

// The relay's side of the seam: it gives the dispatcher its clock and timer, and turns answers to tickets into promises.
// With one thread its messages are direct calls; with more, each relay thread will have a port that posts them.

export class DispatchPort {
  readonly #clock: Clock;
  readonly #dispatcher: Dispatcher;
  readonly #asked = new Map<number, (result: WaitResult) => void>();
  #lastTicket = 0;
  #disarm: (() => void) | null = null;
  #armedFor: number | null = null;

  constructor(options: Omit<DispatcherOptions, 'answer'>, clock: Clock) {
    this.#clock = clock;
    const answer: DispatcherOptions['answer'] = (ticketId, result) => {
      const resolve = this.#asked.get(ticketId);
      this.#asked.delete(ticketId);
      resolve?.(result);
    };
    this.#dispatcher = new Dispatcher({ ...options, answer }, clock.now());
  }

  /** Takes the next place in the order of arrival. */
  nextTicketId(): number {
    this.#lastTicket += 1;
    return this.#lastTicket;
  }

  /** Asks for a slot; resolves once, with `abandoned` at the latest when the request is left. Never rejects. */
  waitForReadyWithTimeout(ticket: Ticket, leaving: Leaving): Promise<WaitResult> {
    if (leaving.hasLeft) return Promise.resolve({ kind: 'abandoned', waitedMs: null });
    return new Promise((resolve) => {
      this.#asked.set(ticket.id, (result) => {
        leaving.tell(null);
        resolve(result);
      });
      leaving.tell(() => this.#tell((dispatcher, now) => dispatcher.cancel(ticket.id, now)));
      this.#tell((dispatcher, now) => dispatcher.place(ticket, now));
    });
  }

  release(lease: number, outcome: LeaseOutcome): void {
    this.#tell((dispatcher, now) => dispatcher.release(lease, outcome, now));
  }

  blame(node: NodeRef): void {
    this.#tell((dispatcher, now) => dispatcher.blame(node, now));
  }

  mayRetry(): boolean {
    return this.#dispatcher.mayRetry(this.#clock.now());
  }

  refusesUnread(): number | null {
    return this.#dispatcher.refusesUnread(this.#clock.now());
  }

  /** Ms until a request like those waiting should be accepted again. */
  retryAfterMs(): number {
    return this.#dispatcher.retryAfterMs(this.#clock.now());
  }

  /** Ms until a node of the model is probed next. */
  nextProbeMs(model: string): number {
    return this.#dispatcher.nextProbeMs(model, this.#clock.now());
  }

  /** True where every node that offers the model said of late that it does not know it. */
  isMissingEverywhere(model: string): boolean {
    return this.#dispatcher.isMissingEverywhere(model, this.#clock.now());
  }

  replaceSnapshot(snapshot: FleetSnapshot): void {
    this.#tell((dispatcher, now) => dispatcher.replaceSnapshot(snapshot, now));
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    this.#dispatcher.replaceTelemetry(nodes);
  }

  drain(): void {
    this.#tell((dispatcher, now) => dispatcher.drain(now));
  }

  counts(): DispatcherCounts {
    return this.#dispatcher.counts(this.#clock.now());
  }

  #tell(message: (dispatcher: Dispatcher, now: number) => void): void {
    message(this.#dispatcher, this.#clock.now());
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
