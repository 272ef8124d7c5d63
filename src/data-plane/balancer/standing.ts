import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import { Heap } from '../../lib/heap.ts';
import { Breaker, type BreakerState } from './breaker.ts';

// What recent answers say of each node, beside the control plane's view of it: its breaker, whether it asked to be left alone
// (429, 503: cooled, which counts as busy), whether it refused our key (blocked), which of its models said that they are
// still loading and which it does not know (404) though it listed them. All but the first two are doubts: they hold until a
// probe that began after them has finished, or their time is over. All is kept per generation: a node registered anew
// starts clean.

/** How long a doubt holds where nothing says otherwise. */
const LOADING_MS = 2_000;
const BLOCK_MS = 5_000;
const MISSING_MS = 5_000;
/** The first probe to finish after a doubt may have begun before it; the second did not. */
const PROBES_TO_SETTLE = 2;

interface NodeRecord {
  readonly generation: number;
  readonly breaker: Breaker;
  cooledUntil: number;
  blockedUntil: number;
  /** By model. */
  readonly loadingUntil: Map<string, number>;
  /** By model. */
  readonly missingUntil: Map<string, number>;
  /** Finished probes of the node when the last doubt arose. */
  doubtedAtProbe: number;
}

export class Standing {
  readonly #nodes = new Map<number, NodeRecord>();
  /** When nodes that were left out are let in again. */
  readonly #returns = new Heap<null>();
  #snapshot: FleetSnapshot;

  constructor(snapshot: FleetSnapshot) {
    this.#snapshot = snapshot;
  }

  /** Forgets nodes that are no longer registered, and doubts that probes have settled. */
  replaceSnapshot(snapshot: FleetSnapshot): void {
    this.#snapshot = snapshot;
    for (const [index, record] of this.#nodes) {
      const node = snapshot.nodes[index];
      if (node?.generation !== record.generation) this.#nodes.delete(index);
      else if (node.probes >= record.doubtedAtProbe + PROBES_TO_SETTLE) {
        record.blockedUntil = 0;
        record.loadingUntil.clear();
        record.missingUntil.clear();
      }
    }
  }

  /** True where a request for the model may be sent to the node now, slots aside. */
  allows(node: number, model: string, now: number): boolean {
    const record = this.#nodes.get(node);
    if (!record) return true;
    return now >= record.cooledUntil && isReady(record, model, now) && record.breaker.allows(now);
  }

  /** False where the node is out rather than busy: breaker open, key refused, model loading or unknown. */
  isReady(node: number, model: string, now: number): boolean {
    const record = this.#nodes.get(node);
    return !record || isReady(record, model, now);
  }

  /** True where its breaker is open, it refused our key or does not know the model: it is not merely busy or loading. */
  isOut(node: number, model: string, now: number): boolean {
    const record = this.#nodes.get(node);
    return record !== undefined && (isOut(record, now) || isMissing(record, model, now));
  }

  /** True where it said of late that it does not know the model. */
  isMissing(node: number, model: string, now: number): boolean {
    const record = this.#nodes.get(node);
    return record !== undefined && isMissing(record, model, now);
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

  fault(node: number, generation: number, trial: boolean, now: number, mayOpen: () => boolean): void {
    this.#returnsAt(this.#record(node, generation).breaker.fault(trial, now, mayOpen), now);
  }

  suspect(node: number, generation: number, trial: boolean, now: number, mayOpen: () => boolean): void {
    this.#returnsAt(this.#record(node, generation).breaker.suspect(trial, now, mayOpen), now);
  }

  blame(node: number, generation: number, now: number, mayOpen: () => boolean): void {
    this.#returnsAt(this.#record(node, generation).breaker.blame(now, mayOpen), now);
  }

  /** The trial ended without telling anything. */
  trialEnded(node: number): void {
    this.#nodes.get(node)?.breaker.trialEnded();
  }

  closeBreaker(node: number): void {
    this.#nodes.get(node)?.breaker.close();
  }

  /** It asked to be left alone for `ms`. */
  cool(node: number, generation: number, now: number, ms: number): void {
    const record = this.#record(node, generation);
    if (now + ms <= record.cooledUntil) return;
    record.cooledUntil = now + ms;
    this.#returnsAt(record.cooledUntil, now);
  }

  /** It refused our key. */
  block(node: number, generation: number, now: number): void {
    const record = this.#doubted(node, generation);
    record.blockedUntil = now + BLOCK_MS;
    this.#returnsAt(record.blockedUntil, now);
  }

  /** A model on it is still loading, for `ms` where it said so. */
  loading(node: number, generation: number, model: string, now: number, ms: number | null): void {
    const until = now + (ms ?? LOADING_MS);
    this.#doubted(node, generation).loadingUntil.set(model, until);
    this.#returnsAt(until, now);
  }

  /** It does not know the model that it is said to offer. */
  missing(node: number, generation: number, model: string, now: number): void {
    this.#doubted(node, generation).missingUntil.set(model, now + MISSING_MS);
    this.#returnsAt(now + MISSING_MS, now);
  }

  /** When a node is let in again next, in monotonic ms; Infinity where none is out. Past times stay until `forgetPast`. */
  nextReturnAt(): number {
    return this.#returns.peekKey() ?? Infinity;
  }

  forgetPast(now: number): void {
    while (this.nextReturnAt() <= now) this.#returns.pop();
  }

  #returnsAt(at: number | null, now: number): void {
    this.forgetPast(now);
    if (at !== null) this.#returns.push(at, null);
  }

  #doubted(node: number, generation: number): NodeRecord {
    const record = this.#record(node, generation);
    record.doubtedAtProbe = this.#snapshot.nodes[node]?.probes ?? 0;
    return record;
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
      missingUntil: new Map(),
      doubtedAtProbe: 0,
    };
    this.#nodes.set(node, record);
    return record;
  }
}

function isReady(record: NodeRecord, model: string, now: number): boolean {
  if (isOut(record, now) || isMissing(record, model, now)) return false;
  const loadingUntil = record.loadingUntil.get(model);
  return loadingUntil === undefined || now >= loadingUntil;
}

function isOut(record: NodeRecord, now: number): boolean {
  return now < record.blockedUntil || record.breaker.stateAt(now) === 'open';
}

function isMissing(record: NodeRecord, model: string, now: number): boolean {
  const missingUntil = record.missingUntil.get(model);
  return missingUntil !== undefined && now < missingUntil;
}
