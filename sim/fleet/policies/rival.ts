import type { Reading, SeenNode, SeenRequest } from '../seen.ts';

// A rival's way to choose a node. It sees what HTTP shows (`seen.ts`) and keeps books of its own from the calls below. The
// same object is driven as shipped (routers/shipped.ts) and behind Weir's waiting room (routers/weir.ts).

/** One attempt as its router knows it. */
export interface Sent {
  readonly request: SeenRequest;
  readonly node: number;
  readonly sentAt: number;
  firstAt: number | null;
  tokens: number;
}

export interface Rival {
  /** One of the nodes, all of which may be used, or null. The choice is followed by `sent`, unless it cannot be carried out. */
  choose(request: SeenRequest, nodes: readonly SeenNode[], now: number): SeenNode | null;
  sent?(sent: Sent): void;
  firstToken?(sent: Sent, now: number): void;
  /** `failed` says that the node did; an aborted attempt is neither. */
  ended?(sent: Sent, how: 'served' | 'failed' | 'aborted', now: number): void;
  /** Its poll of a node's load came back. */
  polled?(node: number, reading: Reading): void;
}

/** How the product around a rival's policy behaves. */
export interface Product {
  /** Time between two readings of a node's load; null where the policy uses none. */
  readonly pollMs: number | null;
  /** Time between two health checks, and how many fail before a node is left out. */
  readonly healthMs: number;
  readonly healthFailures: number;
  /** Tries of one request, the first included. */
  readonly attempts: number;
  /** Failures in a row after which a node is left out for `openMs`; null where there is no breaker. */
  readonly breaker: { readonly failures: number; readonly openMs: number } | null;
}

/** A Kubernetes service with its default readiness probe, and no retries. */
export const plainService: Product = { pollMs: null, healthMs: 10_000, healthFailures: 3, attempts: 1, breaker: null };

export interface RivalEntry {
  readonly name: string;
  /** What it follows: project and commit, or paper. */
  readonly source: string;
  readonly product: Product;
  readonly make: (random: () => number) => Rival;
}

/** The node with the least cost; among equals one at random. */
export function cheapest(
  nodes: readonly SeenNode[],
  costOf: (node: SeenNode) => number,
  random: () => number,
): SeenNode | null {
  let best: SeenNode | null = null;
  let bestCost = Infinity;
  let ties = 0;
  for (const node of nodes) {
    const cost = costOf(node);
    if (best && cost > bestCost) continue;
    if (best && cost === bestCost) {
      ties += 1;
      if (random() * ties >= 1) continue;
    } else ties = 1;
    best = node;
    bestCost = cost;
  }
  return best;
}
