import { noPrefix, type Prefix } from '../balancer/candidate.ts';
import type { Priority } from '../../fleet/glossary.ts';
import type { QueueRefusal } from '../queue-standing.ts';
import type { Account } from './fairness.ts';

// What is asked of the dispatcher and what it answers, as plain data: no socket, no closure, nothing that could not cross
// a thread.

export interface Ticket {
  /** Grows with arrival: also the place in the waiting room, kept when the request re-enters after a failed attempt. */
  readonly id: number;
  /** Canonical public name. */
  readonly model: string;
  /** The body's size: what it costs to keep it waiting. */
  readonly bytes: number;
  /** How long it may (still) wait. */
  readonly maxWaitMs: number;
  /** Nodes that already failed it. */
  readonly tried: readonly NodeRef[];
  /** True once it was admitted before: it may use the last fifth of the waiting room. */
  readonly readmitted: boolean;
  readonly claim: Claim;
}

/** Who pays for a request, and what it asks for. */
export interface Claim {
  /** The key's id, else the address. */
  readonly caller: string;
  /** Its share among callers that wait. */
  readonly weight: number;
  /** Estimated from the body's size. */
  readonly promptTokens: number;
  /** The longest answer that it allows; null where it does not say. */
  readonly maxTokens: number | null;
  /** How its prompt begins. */
  readonly prefix: Prefix;
  /** True where the first token will be seen before the last. */
  readonly streams: boolean;
  /** The band it waits in, at first. */
  readonly priority: Priority;
  /** It is of no use to its client unless it has a slot by then: monotonic ms; null where it does not say. */
  readonly startBy: number | null;
  /** It told by when it wants its first token, and may be kept from a free slot where that makes it sooner. */
  readonly hasTtftSlo: boolean;
}

/** A claim of nobody, on nothing. */
export const noClaim: Claim = {
  caller: '',
  weight: 1,
  promptTokens: 0,
  maxTokens: null,
  prefix: noPrefix,
  streams: false,
  priority: 'normal',
  startBy: null,
  hasTtftSlo: false,
};

/** What a lease was charged for when a waiter was handed it. */
export interface Charge {
  readonly account: Account;
  readonly model: string;
  readonly claim: Claim;
  /** Tokens by weight. */
  readonly owed: number;
}

/** What an attempt took, as its engine told it or as it was counted; null for what nobody knows. */
export interface Spent {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

export interface NodeRef {
  readonly node: number;
  readonly generation: number;
}

/** True if the node, as it was registered then, already failed the ticket. */
export function wasTried(ticket: Ticket, { node, generation }: NodeRef): boolean {
  return ticket.tried.some((ref) => ref.node === node && ref.generation === generation);
}

/** The right to one slot of one node. */
export interface Grant extends NodeRef {
  readonly lease: number;
  /** The engine's own name of the model there. */
  readonly upstream: string;
}

/** How a wait ended. `waitedMs` is null for a request that never was a waiter this time. */
export type WaitResult =
  | { readonly kind: 'ready'; readonly grant: Grant; readonly waitedMs: number | null }
  /** Waited as long as allowed, and nodes were busy. */
  | (QueueRefusal & { readonly kind: 'timeout'; readonly waitedMs: number })
  /** It has passed the time by which it wanted a slot, or will before its turn comes. */
  | (QueueRefusal & { readonly kind: 'deadline-unreachable'; readonly waitedMs: number | null })
  /** Waited as long as allowed, and no node of the model was ready; or its last node was removed. */
  | { readonly kind: 'no-ready-node'; readonly waitedMs: number; readonly retryAfterMs: number }
  | (QueueRefusal & { readonly kind: 'capacity-exceeded'; readonly waitedMs: null })
  | { readonly kind: 'abandoned'; readonly waitedMs: number | null }
  | { readonly kind: 'draining'; readonly waitedMs: number | null }
  | { readonly kind: 'model-not-found'; readonly waitedMs: number | null }
  /** A request already tried elsewhere, and no node is left that could still serve it. */
  | { readonly kind: 'exhausted'; readonly waitedMs: number | null };

/** What an attempt says of its node when its lease ends. */
export type LeaseOutcome =
  | { readonly kind: 'served' }
  /** Says nothing about the node: the client left, its own 4xx. */
  | { readonly kind: 'neutral' }
  | { readonly kind: 'fault' }
  /** A server error: a fault if another node then serves the same request (`blame`), else perhaps the request's own doing. */
  | { readonly kind: 'suspect' }
  | { readonly kind: 'overloaded'; readonly coolMs: number }
  | { readonly kind: 'loading'; readonly retryAfterMs: number | null }
  /** It does not know the model that it is said to offer. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unauthorized' };
