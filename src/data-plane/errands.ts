import type { DispatchPort } from './dispatcher/dispatch-port.ts';
import { type LeaseOutcome, type NodeRef, type Ticket, type WaitResult, wasTried } from './dispatcher/ticket.ts';
import type { FleetSnapshot, ModelOffer } from '../fleet/snapshot.ts';
import type { Deadlines } from '../lib/deadlines.ts';
import type { Leaving } from './leaving.ts';

// Small questions that make no engine compute (counting tokens, a model's description) take no slot: they would wait behind work
// that they are not. So that they cannot crowd a node out either, at most 4 at once are on each node. They go to the node with
// the fewest, wait in order of arrival where all have their 4, and teach breaker and standing nothing.
//
// Each relay thread counts its own: with T threads the 4 are divided among them, but each has 1 at least, so that beyond 4 threads a
// node may see as many as there are threads. A request whose model has no ready node waits for one, as every request does.

const MOST_ON_A_NODE = 4;
/** Of one thread; a question asked later is answered no later. */
const MOST_WAITERS = 256;
const RETRY_MS = 1000;

interface Asking {
  readonly ticket: Ticket;
  readonly since: number;
  readonly end: (result: WaitResult) => void;
}

export interface ErrandOptions {
  readonly threads: number;
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Where retries are paid for and probes known. */
  readonly port: DispatchPort;
}

export class ErrandPort implements DispatchPort {
  readonly #most: number;
  readonly #options: ErrandOptions;
  readonly #waiting = new Set<Asking>();
  readonly #nodeByLease = new Map<number, string>();
  readonly #running = new Map<string, number>();
  #snapshot: FleetSnapshot | null = null;
  #isDraining = false;
  #last = 0;

  constructor(options: ErrandOptions) {
    this.#options = options;
    this.#most = Math.max(1, Math.floor(MOST_ON_A_NODE / options.threads));
  }

  replaceSnapshot(snapshot: FleetSnapshot): void {
    this.#snapshot = snapshot;
    this.#handOut();
  }

  drain(): void {
    this.#isDraining = true;
    for (const { end } of this.#waiting) end({ kind: 'draining', waitedMs: null });
  }

  nextTicketId(): number {
    this.#last += 1;
    return this.#last;
  }

  refusesUnread(): null {
    return null;
  }

  stillRefusesUnread(): boolean {
    return false;
  }

  waitForReadyWithTimeout(ticket: Ticket, leaving: Leaving): Promise<WaitResult> {
    if (leaving.hasLeft) return Promise.resolve({ kind: 'abandoned', waitedMs: null });
    const result = this.#try(ticket, null);
    if (result) return Promise.resolve(result);
    if (this.#isDraining) return Promise.resolve({ kind: 'draining', waitedMs: null });
    if (this.#waiting.size >= MOST_WAITERS) {
      return Promise.resolve({ kind: 'capacity-exceeded', waitedMs: null, retryAfterMs: RETRY_MS, standing: null });
    }
    return new Promise((resolve) => {
      const { deadlines, now } = this.#options;
      const since = now();
      const { startBy } = ticket.claim;
      const mayWaitMs = Math.max(0, Math.min(ticket.maxWaitMs, (startBy ?? Infinity) - since));
      const deadline = deadlines.setOnce(mayWaitMs, () => {
        const busy = startBy !== null && startBy <= now() ? 'deadline-unreachable' : 'timeout';
        const kind = this.#open(ticket).length > 0 ? busy : 'no-ready-node';
        asking.end({ kind, waitedMs: now() - since, retryAfterMs: RETRY_MS, standing: null });
      });
      const asking: Asking = {
        ticket,
        since,
        end: (ended) => {
          this.#waiting.delete(asking);
          deadline.cancel();
          leaving.tell(null);
          resolve(ended);
        },
      };
      leaving.tell(() => asking.end({ kind: 'abandoned', waitedMs: now() - since }));
      this.#waiting.add(asking);
    });
  }

  /** Errands are short and few: nobody counts where they stand. */
  standing(): null {
    return null;
  }

  release(lease: number, _outcome: LeaseOutcome): void {
    const node = this.#nodeByLease.get(lease);
    if (node === undefined) return;
    this.#nodeByLease.delete(lease);
    const left = (this.#running.get(node) ?? 1) - 1;
    if (left === 0) this.#running.delete(node);
    else this.#running.set(node, left);
    this.#handOut();
  }

  firstToken(): void {}

  blame(): void {}

  mayRetry(): ReturnType<DispatchPort['mayRetry']> {
    return this.#options.port.mayRetry();
  }

  retryAfterMs(): number {
    return RETRY_MS;
  }

  nextProbeMs(model: string): ReturnType<DispatchPort['nextProbeMs']> {
    return this.#options.port.nextProbeMs(model);
  }

  isMissingEverywhere(model: string): ReturnType<DispatchPort['isMissingEverywhere']> {
    // Asked when the last node said so; where there is but one, that is every one.
    return this.#offers(model).length === 1 || this.#options.port.isMissingEverywhere(model);
  }

  #offers(model: string): readonly ModelOffer[] {
    return this.#snapshot?.models.get(model)?.offers ?? [];
  }

  /** The offers on nodes that could answer now, however many questions they have. */
  #open(ticket: Ticket): ModelOffer[] {
    return this.#offers(ticket.model).filter(({ node: index, ready }) => {
      const node = this.#snapshot?.nodes[index];
      if (!ready || node?.state !== 'ready' || node.draining) return false;
      return !wasTried(ticket, { node: index, generation: node.generation });
    });
  }

  /** How the ask ends now; null where it waits. */
  #try(ticket: Ticket, waitedMs: number | null): WaitResult | null {
    if (this.#isDraining && !ticket.readmitted) return { kind: 'draining', waitedMs };
    const open = this.#open(ticket);
    if (open.length === 0) {
      if (ticket.tried.length > 0) return { kind: 'exhausted', waitedMs };
      const isUnknown = this.#snapshot?.settled === true && this.#offers(ticket.model).length === 0;
      return isUnknown ? { kind: 'model-not-found', waitedMs } : null;
    }
    let best: ModelOffer | null = null;
    let fewest = this.#most;
    for (const offer of open) {
      const running = this.#running.get(this.#keyOf(offer.node)) ?? 0;
      if (running < fewest) [best, fewest] = [offer, running];
    }
    if (!best) return null;
    const lease = this.nextTicketId();
    const key = this.#keyOf(best.node);
    this.#nodeByLease.set(lease, key);
    this.#running.set(key, fewest + 1);
    const { node, upstream } = best;
    return { kind: 'ready', grant: { lease, node, generation: this.#generation(node), upstream }, waitedMs };
  }

  #handOut(): void {
    const now = this.#options.now();
    for (const { ticket, since, end } of this.#waiting) {
      const result = this.#try(ticket, now - since);
      if (result) end(result);
    }
  }

  #generation(node: number): NodeRef['generation'] {
    return this.#snapshot?.nodes[node]?.generation ?? 0;
  }

  #keyOf(node: number): string {
    return `${node} ${this.#generation(node)}`;
  }
}
