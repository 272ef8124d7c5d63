import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { NodeSettings } from '../fleet/settings.ts';
import { sameMachineUrl } from './nodes/node-address.ts';
import type { NodeFleet } from './nodes/node-fleet.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';
import type { NodesTable } from './store/nodes-table.ts';

// The nodes of one origin (the configuration, a name in DNS, a file that is watched), brought into a fleet that runs. A node is known by
// its name: one that stays keeps its id, its index and, where its address stays, its generation too, so that whatever was counted and
// learned of it (slots in use, breaker, speeds, open connections) goes on. Only what differs is touched.
//
// Where two origins name the same engine the more deliberate one has it: the configuration before what is found, and an administrator's
// or an agent's before both.

/** Whose nodes they are: the configuration's, or those found by `foundBy`. */
export type NodeOrigin =
  | { readonly managedBy: 'config'; readonly foundBy: null }
  | { readonly managedBy: 'discovery'; readonly foundBy: string };

export const configured: NodeOrigin = { managedBy: 'config', foundBy: null };

/** How found nodes are marked in the fleet and in the store. */
export function foundBy(how: 'file' | `dns ${string}`): NodeOrigin {
  return { managedBy: 'discovery', foundBy: how };
}

export interface FleetParts {
  readonly fleet: NodeFleet;
  readonly table: NodesTable;
  /** The node's address, tags or key became others; `isMoved`: it is another engine. */
  readonly onChanged: (node: RegisteredNode, isMoved: boolean) => void;
  /** A found node is there already, under another origin. */
  readonly onSkipped?: (settings: NodeSettings, other: RegisteredNode) => void;
}

/** Why these nodes of the configuration cannot be taken beside those that others have added; nothing, and they can. */
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

/** Makes the nodes of that origin in the fleet be these. */
export function replaceNodes(wanted: readonly NodeSettings[], origin: NodeOrigin, parts: FleetParts): void {
  const names = new Set(wanted.map(({ name }) => name));
  const { fleet } = parts;
  for (const node of fleet.registry.all()) {
    if (isOf(node, origin) && !names.has(node.settings.name)) fleet.remove(node);
  }
  for (const settings of wanted) placeNode(settings, origin, parts);
}

function placeNode(settings: NodeSettings, origin: NodeOrigin, parts: FleetParts): void {
  const { fleet, table, onSkipped } = parts;
  const { registry } = fleet;
  const node = registry.byName(settings.name);
  if (node && isOf(node, origin)) {
    if (!isDeepStrictEqual(node.settings, settings)) changeNode(node, settings, parts);
    return;
  }
  const url = sameMachineUrl(settings.url);
  // The URL of a node that is reached through a tunnel is its own machine's.
  const isThere = ({ address }: RegisteredNode): boolean =>
    address.socketPath === undefined && sameMachineUrl(address.baseUrl) === url;
  const others = registry.all().filter((other) => other === node || isThere(other));
  const before = others.find((other) => !yields(other, origin));
  // The configuration may name an engine twice; a found node is there once.
  if (before && origin.managedBy === 'discovery') return onSkipped?.(settings, before);
  for (const other of others) if (yields(other, origin)) fleet.remove(other);
  const id = table.idOf(settings.name, origin.foundBy ?? origin.managedBy);
  const draining = table.all().find((stored) => stored.id === id)?.draining ?? false;
  const marks = origin.foundBy === null ? {} : { foundBy: origin.foundBy };
  const { managedBy } = origin;
  fleet.add({ id: registry.byId(id) ? randomUUID() : id, managedBy, settings, draining, ...marks });
}

/** Does the node give way to one of that origin? What was found at this machine's ports does to all. */
function yields({ managedBy, foundBy: how }: RegisteredNode, origin: NodeOrigin): boolean {
  return managedBy === 'discovery' && (origin.managedBy === 'config' || how === null);
}

function isOf(node: RegisteredNode, origin: NodeOrigin): boolean {
  return node.managedBy === origin.managedBy && node.foundBy === origin.foundBy;
}

function changeNode(node: RegisteredNode, settings: NodeSettings, { fleet, onChanged }: FleetParts): void {
  const before = node.address.baseUrl;
  fleet.change(node, settings);
  onChanged(node, node.address.baseUrl !== before);
  void fleet.probeNow(node);
}
