import type { DispatcherCounts } from '../../../src/data-plane/dispatcher/counts.ts';
import type { NodeRef } from '../../../src/data-plane/dispatcher/ticket.ts';
import type { SeenNode, SeenRequest } from '../seen.ts';

// How a rival's choice is put to the dispatcher without a word that it does not know: the ticket names all other nodes as
// tried.

/** Nodes that could take the request at once, as the dispatcher counts them. */
export function freeNodes(
  { model }: SeenRequest,
  tried: readonly NodeRef[],
  ready: readonly SeenNode[],
  { nodes }: DispatcherCounts,
): SeenNode[] {
  const counts = new Map(nodes.map((each) => [each.index, each]));
  return ready.filter(({ index, models }) => {
    const count = counts.get(index);
    if (!count || count.taken >= count.slots || count.breaker === 'open' || count.cooling) return false;
    return models.includes(model) && tried.every(({ node }) => node !== index);
  });
}

/** All nodes but the chosen one; null where none was chosen. */
export function othersThan(chosen: SeenNode | null, nodes: readonly SeenNode[]): NodeRef[] | null {
  return chosen && nodes.filter((node) => node !== chosen).map(({ index }) => ({ node: index, generation: 1 }));
}
