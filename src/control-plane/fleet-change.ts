import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { NodeSettings } from '../fleet/settings.ts';
import { sameMachineUrl } from './nodes/node-address.ts';
import type { NodeFleet } from './nodes/node-fleet.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';
import type { NodesTable } from './store/nodes-table.ts';

// The nodes of a configuration that changed, brought into a fleet that runs. A node is known by its name: one that stays keeps its id, its
// index and, where its address stays, its generation too, so that whatever was counted and learned of it (slots in use, breaker,
// speeds, open connections) goes on. Only what differs is touched.

export interface FleetParts {
  readonly fleet: NodeFleet;
  readonly table: NodesTable;
  /** The node's address, tags or key became others; `isMoved`: it is another engine. */
  readonly onChanged: (node: RegisteredNode, isMoved: boolean) => void;
}

/** Why these nodes cannot be taken beside those that others have added; nothing, and they can. */
export function nodeClashes(wanted: readonly NodeSettings[], fleet: NodeFleet): readonly string[] {
  return wanted.flatMap(({ name }) => {
    const other = fleet.registry.byName(name);
    if (other?.managedBy !== 'api' && other?.managedBy !== 'agent') return [];
    return [
      `nodes: the name ${name} belongs to a node that was added through the admin API or by an agent. Rename the one in the configuration, ` +
        `or remove the other (DELETE /api/nodes/${other.id}).`,
    ];
  });
}

/** Makes the configuration's nodes in the fleet be these. What was discovered gives way to them. */
export function replaceConfigured(wanted: readonly NodeSettings[], parts: FleetParts): void {
  const { fleet } = parts;
  const names = new Set(wanted.map(({ name }) => name));
  for (const node of fleet.registry.all()) {
    if (node.managedBy === 'config' && !names.has(node.settings.name)) fleet.remove(node);
  }
  for (const settings of wanted) placeConfigured(settings, parts);
}

function placeConfigured(settings: NodeSettings, { fleet, table, onChanged }: FleetParts): void {
  const { registry } = fleet;
  const node = registry.byName(settings.name);
  if (node?.managedBy === 'config') {
    if (!isDeepStrictEqual(node.settings, settings)) changeNode(node, settings, fleet, onChanged);
    return;
  }
  const url = sameMachineUrl(settings.url);
  for (const other of registry.all()) {
    if (other.managedBy !== 'discovery') continue;
    if (other === node || sameMachineUrl(other.address.baseUrl) === url) fleet.remove(other);
  }
  const id = table.idOf(settings.name, 'config');
  const draining = table.all().find((stored) => stored.id === id)?.draining ?? false;
  fleet.add({ id: registry.byId(id) ? randomUUID() : id, managedBy: 'config', settings, draining });
}

/** Gives a node that stays other settings. */
function changeNode(
  node: RegisteredNode,
  settings: NodeSettings,
  fleet: NodeFleet,
  onChanged: FleetParts['onChanged'],
): void {
  const before = node.address.baseUrl;
  fleet.change(node, settings);
  onChanged(node, node.address.baseUrl !== before);
  void fleet.probeNow(node);
}
