import type { Candidate } from '../balancer/candidate.ts';
import type { Outlook } from '../balancer/outlook.ts';
import { costMs } from '../balancer/policies/adaptive.ts';
import type { Ticket } from './ticket.ts';

// When a slot that is free is not taken. A node that has more to read than a second's work is given no further prompt until it has
// caught up (outlook and node-outlook say when): whoever waits here can still go elsewhere. And a request whose better nodes are busy
// waits for them, rather than have a long prompt read at a tenth of the speed, or again where it is not cached, or a model loaded.
//
// Neither is done to a request that told no objective for its first token: it takes any slot that is free, as everybody expects. Only
// the pace of nodes whose number of slots nobody told holds for all: how many they bear is the router's to find out, and that
// is how it does.
//
// Who waits does so while its turn at the better nodes should come before that costs more than it saves, those that wait before it
// counted. Forecasts are wrong, so there is the rule of who rents skis, too: having waited for as long as it would have saved, it takes what
// there is, and never does worse than twice what perfect foresight would have done. Nodes of which too little is known, and
// differences of no weight, make nobody wait.

/** Less than this is not worth a wait. */
const LEAST_SAVED_MS = 50;
/** Nor is a node that costs more than this share of the other: speeds are not known better than that. */
const MOST_OF_COST = 0.75;
/** Of twice as many nodes and more about so many are looked at, spread evenly, and stand for the others. */
const SAMPLE = 128;

export interface Alternatives {
  readonly candidates: readonly Candidate[];
  /** Slots of its that come free per ms, Infinity where one is; 0 where it may not be used. */
  readonly freedPerMs: (candidate: Candidate) => number;
  /** How many wait for them already. */
  readonly ahead: number;
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

  /** False where the node has enough to read for now. `isHeld`: for a request that may be kept from a free slot. */
  mayRead({ learned }: Candidate, isHeld: boolean, now: number): boolean {
    if (!learned?.speed.isTrusted || (learned.node.limit.isKnown && !isHeld)) return true;
    const opensAt = learned.node.opensAt();
    if (opensAt <= now) return true;
    this.#nextAt = Math.min(this.#nextAt, opensAt);
    return false;
  }

  /** True where it is better to wait for others than to take this one. */
  declines(
    ticket: Ticket,
    candidate: Candidate,
    { candidates, freedPerMs, ahead }: Alternatives,
    waitedMs: number,
    now: number,
  ): boolean {
    const outlook = this.#outlook;
    const answer = outlook.answerTokens(ticket);
    const cost = costMs(candidate, ticket, answer, outlook, now) ?? 0;
    const mostMs = Math.min(cost - waitedMs - LEAST_SAVED_MS, MOST_OF_COST * cost);
    if (mostMs <= 0) return false;
    let least = mostMs;
    let perMs = 0;
    const step = Math.max(1, Math.floor(candidates.length / SAMPLE));
    for (let at = candidate.node % step; at < candidates.length; at += step) {
      const other = candidates[at];
      if (!other || other === candidate || !other.learned?.speed.isTrusted) continue;
      const otherCost = costMs(other, ticket, answer, outlook, now) ?? Infinity;
      const otherPerMs = otherCost < mostMs ? freedPerMs(other) : 0;
      if (otherPerMs === 0) continue;
      perMs += step * otherPerMs;
      least = Math.min(least, otherCost);
    }
    if (perMs === 0 || (ahead + 1) / perMs + least >= mostMs) return false;
    const until = now + cost - waitedMs - least;
    this.#nextAt = Math.min(this.#nextAt, until);
    this.#patientUntil = Math.max(this.#patientUntil, until);
    return true;
  }
}
