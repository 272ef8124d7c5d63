import type { Candidate } from '../balancer/candidate.ts';
import type { Outlook } from '../balancer/outlook.ts';
import { costMs } from '../balancer/policies/adaptive.ts';
import type { Ticket } from './ticket.ts';

// When a slot that is free is not taken. A node that has more to read than a second's work is given no further prompt until it has
// caught up (outlook and node-outlook say when): whoever waits here can still go elsewhere. And a request whose better node is busy
// waits for it, rather than have a long prompt read at a tenth of the speed, or again where it is not cached, or a model loaded.
//
// It waits no longer than that saves. The times of others that want the same node are not foreseen, so this is the rule of who
// rents skis: having waited for as long as it would have saved, it takes what there is, and never does worse than twice what
// perfect foresight would have done. Nodes of which too little is known, and differences of no weight, make nobody wait.

/** Less than this is not worth a wait. */
const LEAST_SAVED_MS = 50;
/** Nor is a node that costs more than this share of the other: speeds are not known better than that. */
const MOST_OF_COST = 0.75;

export interface Alternatives {
  readonly candidates: readonly Candidate[];
  /** Ms until one of its slots is free, 0 where one is; null where it may not be used. */
  readonly slotFreeMs: (candidate: Candidate) => number | null;
}

export class Patience {
  readonly #outlook: Outlook;
  /** When somebody's patience, or a node's pause, ends next; Infinity where that is not a matter of time. */
  #nextAt = Infinity;
  /** When the patience of the last who declined a slot ends. */
  #patientUntil = -Infinity;

  constructor(outlook: Outlook) {
    this.#outlook = outlook;
  }

  get nextAt(): number {
    return this.#nextAt;
  }

  forgetPast(now: number): void {
    if (this.#nextAt <= now) this.#nextAt = Infinity;
  }

  /** True where somebody declined a slot that others may want. */
  isAnybodyPatient(now: number): boolean {
    return now < this.#patientUntil;
  }

  /** False where the node has enough to read for now. */
  mayRead({ learned }: Candidate, now: number): boolean {
    if (!learned?.speed.isTrusted) return true;
    const opensAt = learned.node.opensAt();
    if (opensAt <= now) return true;
    this.#nextAt = Math.min(this.#nextAt, opensAt);
    return false;
  }

  /** True where it is better to wait for one of the others than to take this one. */
  declines(
    ticket: Ticket,
    candidate: Candidate,
    { candidates, slotFreeMs }: Alternatives,
    waitedMs: number,
    now: number,
  ): boolean {
    const outlook = this.#outlook;
    const answer = outlook.answerTokens(ticket);
    const cost = costMs(candidate, ticket, answer, outlook, now) ?? 0;
    const mostMs = Math.min(cost - waitedMs - LEAST_SAVED_MS, MOST_OF_COST * cost);
    if (mostMs <= 0) return false;
    for (const other of candidates) {
      if (other === candidate || !other.learned?.speed.isTrusted) continue;
      const otherCost = costMs(other, ticket, answer, outlook, now) ?? Infinity;
      if (otherCost >= mostMs) continue;
      const freeMs = slotFreeMs(other);
      if (freeMs === null || freeMs + otherCost >= mostMs) continue;
      const until = now + cost - waitedMs - otherCost;
      this.#nextAt = Math.min(this.#nextAt, until);
      this.#patientUntil = Math.max(this.#patientUntil, until);
      return true;
    }
    return false;
  }
}
