import type { FleetSnapshot } from '../fleet/snapshot.ts';
import type { NodeRef } from './dispatcher/ticket.ts';
import { speakingOffers } from './placement-view.ts';
import type { Speech } from './spoken.ts';

// Nodes that said of late that they do not have an endpoint which their kind of engine has: an older release, or one started without
// it. They are left out for it as if each request had tried them already, so that only the first pays for finding out. It is
// nobody's fault and says nothing of the node's other endpoints, which is why breaker and standing are not told. Each relay
// thread finds out for itself.

/** So that an engine brought up to date is asked again soon. */
const KEPT_MS = 60_000;

export class Unspoken {
  /** Monotonic ms until which it holds. */
  readonly #until = new Map<string, number>();

  /** The node does not speak it. */
  note(speech: Speech, node: NodeRef, now: number): void {
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key);
    this.#until.set(keyOf(speech, node), now + KEPT_MS);
  }

  has(speech: Speech, node: NodeRef, now: number): boolean {
    return (this.#until.get(keyOf(speech, node)) ?? 0) > now;
  }

  /** Those of the model's nodes that are to be left out; null where that leaves none, though the model is offered. */
  without(snapshot: FleetSnapshot, speech: Speech, model: string, now: number): NodeRef[] | null {
    const left: NodeRef[] = [];
    const offers = speakingOffers(snapshot, speech, model);
    for (const { node } of offers) {
      const generation = snapshot.nodes[node]?.generation ?? 0;
      if (this.has(speech, { node, generation }, now)) left.push({ node, generation });
    }
    // Before the fleet is known another node may turn up.
    const isOffered = snapshot.models.has(model) && (snapshot.settled || offers.length > 0);
    return isOffered && left.length === offers.length ? null : left;
  }
}

function keyOf(speech: Speech, { node, generation }: NodeRef): string {
  return `${speech} ${node} ${generation}`;
}
