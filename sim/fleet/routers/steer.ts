import type { DispatcherCounts } from '../../../src/data-plane/dispatcher/counts.ts';
import type { NodeRef } from '../../../src/data-plane/dispatcher/ticket.ts';
import type { Rival } from '../policies/rival.ts';
import type { SeenNode } from '../seen.ts';
import type { WeirFleet } from './weir-fleet.ts';
import type { Asked } from './weir-words.ts';

// How a rival's choice is put to the dispatcher without a word that it does not know: the ticket names all other nodes as
// tried. The choice is among the nodes that could take the request at once, as the dispatcher itself counts them.

/** All nodes but the rival's choice; null where somebody waits, or no node is free. */
export function steer(
  rival: Rival,
  { request, tried }: Asked,
  nodes: readonly SeenNode[],
  fleet: WeirFleet,
  counts: DispatcherCounts,
  now: number,
): NodeRef[] | null {
  if (counts.waiters > 0) return null;
  const byIndex = new Map(counts.nodes.map((each) => [each.index, each]));
  const free = nodes.filter(({ index, models }) => {
    const count = byIndex.get(index);
    if (!count || count.taken >= count.slots || count.breaker === 'open' || count.cooling) return false;
    return fleet.isReady(index) && models.includes(request.model) && tried.every(({ node }) => node !== index);
  });
  const chosen = rival.choose(request, free, now);
  return chosen && nodes.filter((node) => node !== chosen).map(({ index }) => ({ node: index, generation: 1 }));
}
