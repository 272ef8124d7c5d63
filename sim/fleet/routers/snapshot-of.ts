import type { Health } from '../../../src/control-plane/nodes/health.ts';
import { slotsOf } from '../../../src/control-plane/nodes/slots.ts';
import type { FleetSnapshot, ModelOffer, ModelSnapshot, NodeSnapshot } from '../../../src/fleet/snapshot.ts';
import type { SeenNode } from '../seen.ts';

/** The modelled fleet as the control plane would publish it. */
export function snapshotOf(
  nodes: readonly SeenNode[],
  health: readonly Health[],
  probes: readonly number[],
  version: number,
): FleetSnapshot {
  const offers = new Map<string, ModelOffer[]>();
  for (const { index, models } of nodes) {
    for (const model of models) {
      const of = offers.get(model) ?? [];
      of.push({ node: index, upstream: model, ready: true, slots: null });
      offers.set(model, of);
    }
  }
  const models = new Map<string, ModelSnapshot>();
  for (const [name, of] of offers) models.set(name, { name, offers: of, firstSeenAt: 0 });
  return {
    version,
    settled: true,
    nodes: nodes.map((node) => nodeOf(node, health[node.index], probes[node.index] ?? 0)),
    models,
    keys: new Map(),
  };
}

function nodeOf({ index, name, engine, slots }: SeenNode, health: Health | undefined, probes: number): NodeSnapshot {
  return {
    index,
    generation: 1,
    id: name,
    name,
    baseUrl: `http://${name}.invalid`,
    engine,
    state: health?.state ?? 'starting',
    draining: false,
    slots: slotsOf(null, slots, engine),
    slotsGuessed: slots === null,
    apiKey: null,
    headers: {},
    tls: null,
    timeouts: {},
    probes,
  };
}
