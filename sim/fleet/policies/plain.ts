import type { SeenNode } from '../seen.ts';
import { cheapest, type Rival } from './rival.ts';

// The policies that every balancer has. None looks at the request.

/** The next node in turn. */
export function roundRobin(): Rival {
  let last = -1;
  return {
    choose(_request, nodes) {
      const next = nodes.find(({ index }) => index > last) ?? nodes[0] ?? null;
      if (next) last = next.index;
      return next;
    },
  };
}

export function randomNode(random: () => number): Rival {
  return { choose: (_request, nodes) => nodes[Math.floor(random() * nodes.length)] ?? null };
}

/** The one with fewer open requests of two drawn at random (Mitzenmacher). */
export function powerOfTwo(random: () => number): Rival {
  return {
    choose(_request, nodes) {
      const pair = twoOf(nodes, random);
      return cheapest(pair, ({ inFlight }) => inFlight, random);
    },
  };
}

/** The fewest open requests, whatever the size of the node. */
export function leastInFlight(random: () => number): Rival {
  return { choose: (_request, nodes) => cheapest(nodes, ({ inFlight }) => inFlight, random) };
}

/** Two different nodes at random; all where there are no more. */
export function twoOf(nodes: readonly SeenNode[], random: () => number): SeenNode[] {
  if (nodes.length <= 2) return [...nodes];
  const a = Math.floor(random() * nodes.length);
  const b = (a + 1 + Math.floor(random() * (nodes.length - 1))) % nodes.length;
  return [nodes[a], nodes[b]].filter((node) => node !== undefined);
}
