import type { FleetSnapshot, ModelOffer, ModelSnapshot, NodeSnapshot } from '../../src/fleet/snapshot.ts';

/** What matters of a node in a test of placement; everything else has a default. */
export interface NodePlan {
  readonly slots?: number;
  readonly models?: readonly string[];
  /** Slots per model, where the engine counts so. */
  readonly modelSlots?: number;
  readonly state?: NodeSnapshot['state'];
  readonly draining?: boolean;
  readonly generation?: number;
  readonly probes?: number;
  /** Models still loading there. */
  readonly loading?: readonly string[];
}

/** A fleet of these nodes, by index; null where an index is free. A node serves `m` with one slot unless it says otherwise. */
export function fleetOf(plans: readonly (NodePlan | null)[], settled = true): FleetSnapshot {
  const offers = new Map<string, ModelOffer[]>();
  plans.forEach((plan, node) => {
    for (const model of plan?.models ?? (plan ? ['m'] : [])) {
      const offer = {
        node,
        upstream: `up-${model}`,
        ready: !plan?.loading?.includes(model),
        slots: plan?.modelSlots ?? null,
      };
      offers.set(model, [...(offers.get(model) ?? []), offer]);
    }
  });
  const models = new Map<string, ModelSnapshot>();
  for (const [name, of] of offers) models.set(name, { name, offers: of, firstSeenAt: 0 });
  return { version: 1, settled, nodes: plans.map(nodeOf), models, keys: new Map() };
}

function nodeOf(plan: NodePlan | null, index: number): NodeSnapshot | null {
  if (!plan) return null;
  const { generation = 1, state = 'ready', draining = false, slots = 1, probes = 1 } = plan;
  return {
    index,
    generation,
    id: `id-${index}-${generation}`,
    name: `node-${index}`,
    baseUrl: `http://127.0.0.1:${9000 + index}`,
    engine: 'openai',
    state,
    draining,
    slots,
    apiKey: null,
    headers: {},
    tls: null,
    timeouts: {},
    probes,
  };
}

/** `count` nodes alike. */
export function nodesAlike(count: number, plan: NodePlan = {}): NodePlan[] {
  return Array.from({ length: count }, () => plan);
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
