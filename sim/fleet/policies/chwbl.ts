import { hashOf } from '../random.ts';
import type { SeenNode } from '../seen.ts';
import type { Rival } from './rival.ts';

// Consistent hashing with bounded loads as KubeAI has it: the key is the prompt's beginning, each node stands at 256 places
// of a ring, and from the key's place on the first node is taken whose open requests and one are at most 1.25 times the
// mean; if there is none, the first. Nodes count alike, whatever their size.

const REPLICAS = 256;
const LOAD_FACTOR = 1.25;

export function chwbl(): Rival {
  let ring: { readonly at: number; readonly node: number }[] = [];
  let ringOf = '';
  const build = (nodes: readonly SeenNode[]): void => {
    const names = nodes.map(({ name }) => name).join('\n');
    if (names === ringOf) return;
    ringOf = names;
    ring = nodes
      .flatMap(({ name, index }) =>
        Array.from({ length: REPLICAS }, (_, replica) => ({ at: hashOf(`${name}${replica}`), node: index })),
      )
      .toSorted((a, b) => a.at - b.at);
  };
  return {
    choose(request, nodes) {
      build(nodes);
      // The first hundred letters: the first block, or for a shorter prompt all there is, which no other shares.
      const key = hashOf(`${request.model} ${request.blocks[0] ?? `short ${request.id}`}`);
      const total = nodes.reduce((sum, { inFlight }) => sum + inFlight, 0);
      const bound = (LOAD_FACTOR * (total + 1)) / nodes.length;
      const byIndex = new Map(nodes.map((node) => [node.index, node]));
      const from = ring.findIndex(({ at }) => at >= key);
      let first: SeenNode | null = null;
      for (let step = 0; step < ring.length; step++) {
        const place = ring[(Math.max(0, from) + step) % ring.length];
        const node = place && byIndex.get(place.node);
        if (!node) continue;
        first ??= node;
        if (total === 0 || node.inFlight + 1 <= bound) return node;
      }
      return first;
    },
  };
}
