import { Worker } from 'node:worker_threads';
import type { ThreadReport } from './data-plane/gauges.ts';
import type { DirectPort } from './data-plane/dispatcher/dispatch-port.ts';
import { type FromRelay, type RelayStart, type ToRelay, WAKE } from './data-plane/threads/messages.ts';
import { Outbox } from './data-plane/threads/outbox.ts';
import { RelayDesk } from './data-plane/threads/relay-desk.ts';
import { Ring } from './data-plane/threads/ring.ts';
import { Shelf } from './data-plane/threads/shelf.ts';
import type { SharedDispatcher } from './data-plane/threads/shared-dispatcher.ts';
import type { ToControlPlane } from './fleet/messages.ts';
import type { Clock } from './lib/clock.ts';

// One relay thread's worker, seen from the main thread: its desk at the dispatcher for as long as it lives, and what it is asked.

const REPORT_WITHIN_MS = 500;

export interface RelayWorkerOptions {
  readonly start: RelayStart;
  readonly clock: Clock;
  readonly dispatcher: DirectPort;
  readonly sharing: SharedDispatcher;
  readonly onListening: () => void;
  /** It relays by this snapshot version from now on. */
  readonly onApplied: (version: number) => void;
  /** It has something for the control plane. */
  readonly onTell: (message: ToControlPlane) => void;
  /** It is no more; all that it held has been given back. */
  readonly onExit: (reason: Error) => void;
}

export class RelayWorker {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #reports = new Map<number, (report: ThreadReport | null) => void>();
  readonly #drained = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #question = 0;

  constructor({ start, clock, dispatcher, sharing, ...told }: RelayWorkerOptions) {
    this.#clock = clock;
    // The same file as TypeScript in a checkout and as JavaScript in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./relay-thread.${extension}`, import.meta.url), { workerData: start });
    this.#worker = worker;
    const outbox = new Outbox({
      ring: new Ring(start.toRelay),
      clock,
      wake: () => this.send(WAKE),
      atTickEnd: (run) => void setImmediate(run),
    });
    const desk = new RelayDesk({
      inbox: new Ring(start.toDispatcher),
      outbox,
      port: dispatcher,
      shelf: new Shelf(start.shelf),
      clock,
    });
    sharing.open(desk);
    let reason = new Error('it ended without a reason');
    worker.on('message', (message: FromRelay) => {
      if (message !== WAKE) return this.#take(message, told);
      desk.wakes();
      sharing.hear();
    });
    worker.on('error', (error) => {
      reason = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', () => {
      sharing.close(desk);
      for (const resolve of this.#reports.values()) resolve(null);
      this.#drained.resolve();
      this.#ended.resolve();
      told.onExit(reason);
    });
  }

  send(message: ToRelay): void {
    this.#worker.postMessage(message);
  }

  /** What it counts of its own; null if it does not say so in time (500 ms). */
  report(): Promise<ThreadReport | null> {
    this.#question += 1;
    const question = this.#question;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(REPORT_WITHIN_MS, () => this.#reported(question, null));
      this.#reports.set(question, (report) => {
        cancel();
        resolve(report);
      });
      this.send({ kind: 'report?', question });
    });
  }

  /** Resolves when its running answers have ended, cut off after `limitMs`; or when it is no more. */
  drain(limitMs: number): Promise<void> {
    this.send({ kind: 'drain', limitMs });
    return this.#drained.promise;
  }

  /** Lets it close and tell what is left to tell. Resolves when it is no more, after `limitMs` at the latest. */
  async stop(limitMs: number): Promise<void> {
    this.send({ kind: 'stop' });
    const cancel = this.#clock.after(limitMs, () => void this.kill());
    await this.#ended.promise;
    cancel();
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(
    message: Exclude<FromRelay, typeof WAKE>,
    told: Pick<RelayWorkerOptions, 'onListening' | 'onApplied' | 'onTell'>,
  ): void {
    switch (message.kind) {
      case 'listening':
        return told.onListening();
      case 'applied':
        return told.onApplied(message.version);
      case 'tell':
        return told.onTell(message.message);
      case 'report':
        return this.#reported(message.question, message.report);
      case 'drained':
        return this.#drained.resolve();
      case 'stopped':
        void this.kill();
    }
  }

  #reported(question: number, report: ThreadReport | null): void {
    const resolve = this.#reports.get(question);
    this.#reports.delete(question);
    resolve?.(report);
  }
}
