import type { ModelFacts } from '../model-facts.ts';
import type { RegisteredNode } from '../nodes/registered-node.ts';
import { type AdminState, atMost } from './admin-state.ts';
import type { Call, Reply, Route } from './call.ts';
import { findNode } from './find-node.ts';

// Which node has what: the models the fleet offers with the nodes of each, and all that one node has, offered or not. What an engine
// tells only when asked about each model is asked now, and left out where that takes long.

const ASKED_WITHIN_MS = 2500;

export function modelRoutes({ fleet, fleetModels, publication, clock }: AdminState): readonly Route[] {
  const list = async (): Promise<Reply> => {
    const nodes = fleet.registry.all();
    await atMost(clock, ASKED_WITHIN_MS, fleetModels.learn(nodes));
    const places = new Map<string, object[]>();
    const usable = new Set<string>();
    for (const node of nodes) {
      for (const facts of fleetModels.of(node)) {
        if (facts.model === null) continue;
        const others = places.get(facts.model);
        if (others) others.push(place(node, facts));
        else places.set(facts.model, [place(node, facts)]);
        if (facts.ready && node.health.state === 'ready' && !node.draining) usable.add(facts.model);
      }
    }
    const data = [...places]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, at]) => ({ name, ready: usable.has(name), firstSeenAt: publication.firstSeenAt(name), nodes: at }));
    return { status: 200, body: { data } };
  };

  const ofNode = async (call: Call): Promise<Reply> => {
    const node = findNode(fleet.registry, call);
    await atMost(clock, ASKED_WITHIN_MS, fleetModels.learn([node]));
    return { status: 200, body: { data: fleetModels.of(node) } };
  };

  return [
    { method: 'GET', path: '/api/models', answer: list },
    { method: 'GET', path: '/api/nodes/:id/models', answer: ofNode },
  ];
}

function place(node: RegisteredNode, { model: _model, slots: _slots, ...facts }: ModelFacts): object {
  return { id: node.id, name: node.settings.name, state: node.health.state, draining: node.draining, ...facts };
}
