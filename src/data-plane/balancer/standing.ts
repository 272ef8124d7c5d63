import { Breaker, type BreakerState } from './breaker.ts';

// What recent answers say of each node, beside the control plane's view of it: its breaker, whether it asked to be left alone
// (429, 503: cooled, which counts as busy), whether it refused our key (blocked until the control plane has looked) and
// which of its models said that they are still loading. It is kept per generation: a node registered anew starts clean.

/** How long a doubt holds where nothing says otherwise; a probe of the control plane usually settles it sooner. */
const DOUBT_MS = 2_000;
const BLOCK_MS = 5_000;

interface NodeRecord {
  readonly generation: number;
  readonly breaker: Breaker;
  cooledUntil: number;
  blockedUntil: number;
  readonly loadingUntil: Map<string, number>;
}

export class Standing {
  readonly #nodes = new Map<number, NodeRecord>();

  /** Forgets nodes whose generation is no longer the one registered. */
  keepOnly(isRegistered: (node: number, generation: number) => boolean): void {
    for (const [node, record] of this.#nodes) {
      if (!isRegistered(node, record.generation)) this.#nodes.delete(node);
    }
  }

  /** True where a request for the model may be sent to the node now, slots aside. */
  allows(node: number, model: string, now: number): boolean {
    const record = this.#nodes.get(node);
    if (!record) return true;
    return now >= record.cooledUntil && this.isReady(node, model, now) && record.breaker.allows(now);
  }

  /** False where the node is out rather than busy: breaker open, key refused, model loading. */
  isReady(node: number, model: string, now: number): boolean {
    const record = this.#nodes.get(node);
    if (!record) return true;
    if (now < record.blockedUntil || record.breaker.stateAt(now) === 'open') return false;
    const loadingUntil = record.loadingUntil.get(model);
    return loadingUntil === undefined || now >= loadingUntil;
  }

  breakerState(node: number, now: number): BreakerState {
    return this.#nodes.get(node)?.breaker.stateAt(now) ?? 'closed';
  }

  isCooling(node: number, now: number): boolean {
    return now < (this.#nodes.get(node)?.cooledUntil ?? 0);
  }

  /** A lease was taken; true if it is a half-open breaker's trial. */
  take(node: number, now: number): boolean {
    return this.#nodes.get(node)?.breaker.take(now) ?? false;
  }

  success(node: number, generation: number, trial: boolean): void {
    this.#record(node, generation).breaker.success(trial);
  }

  /** Ms until the node is let in again if this fault opened its breaker, else null. */
  fault(node: number, generation: number, trial: boolean, now: number, mayOpen: () => boolean): number | null {
    const { breaker } = this.#record(node, generation);
    breaker.fault(trial, now, mayOpen);
    const until = breaker.opensUntil(now);
    return until === null ? null : until - now;
  }

  trialEnded(node: number): void {
    this.#nodes.get(node)?.breaker.trialEnded();
  }

  cool(node: number, generation: number, now: number, ms: number): void {
    const record = this.#record(node, generation);
    record.cooledUntil = Math.max(record.cooledUntil, now + ms);
  }

  /** It refused our key. Returns for how many ms it is left out. */
  block(node: number, generation: number, now: number): number {
    this.#record(node, generation).blockedUntil = now + BLOCK_MS;
    return BLOCK_MS;
  }

  /** A model on it is still loading. Returns for how many ms it is left out for that model. */
  loading(node: number, generation: number, model: string, now: number, ms: number | null): number {
    const forMs = ms ?? DOUBT_MS;
    this.#record(node, generation).loadingUntil.set(model, now + forMs);
    return forMs;
  }

  #record(node: number, generation: number): NodeRecord {
    const kept = this.#nodes.get(node);
    if (kept?.generation === generation) return kept;
    const record: NodeRecord = {
      generation,
      breaker: new Breaker(),
      cooledUntil: 0,
      blockedUntil: 0,
      loadingUntil: new Map(),
    };
    this.#nodes.set(node, record);
    return record;
  }
}
