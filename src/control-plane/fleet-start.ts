import type { ControlPlaneStart } from '../fleet/messages.ts';
import type { NodeSettings } from '../fleet/settings.ts';
import type { FleetSnapshot, NodeSnapshot } from '../fleet/snapshot.ts';
import { NodeUrlError, readNodeUrl, sameMachineUrl } from './nodes/node-address.ts';
import type { ListedModel } from './nodes/registered-node.ts';
import type { Registration } from './nodes/registry.ts';
import type { NodesTable } from './store/nodes-table.ts';

// Which nodes there are at the start, from three sources: the configuration, the store (added through the API or by agents), and the
// snapshot that a former control plane left, from which each node takes over its index, generation and last known
// state, so that the death of a control plane changes nothing for requests. A node that only that snapshot knows
// was discovered; it is kept if it is known as such.

/** The start cannot go on; the message says what to change. */
export class UnusableSettings extends Error {
  override readonly name = 'UnusableSettings';
}

/** Throws `UnusableSettings` for a name twice or an unusable URL in the configuration. */
export function nodesAtStart({ settings, resume }: ControlPlaneStart, table: NodesTable): readonly Registration[] {
  const stored = table.all();
  const names = new Set<string>();
  const registrations: Registration[] = [];
  const add = (registration: Registration): void => {
    names.add(registration.settings.name);
    const remembered = remember(resume, registration.id);
    registrations.push(remembered ? { ...registration, remembered } : registration);
  };
  for (const node of settings.nodes) {
    refuseUnusable(node);
    if (names.has(node.name)) throw new UnusableSettings(`nodes: the name ${node.name} is there twice. Rename one.`);
    const known = stored.find(({ name }) => name === node.name);
    if (known?.managedBy === 'api') {
      throw new UnusableSettings(
        `nodes: the name ${node.name} belongs to a node that was added through the admin API. Rename the one in the ` +
          `configuration, or start without it once and remove the other (DELETE /api/nodes/${known.id}).`,
      );
    }
    const id = known?.managedBy === 'config' ? known.id : table.idOf(node.name, 'config');
    add({ id, managedBy: 'config', settings: node, draining: known?.draining ?? false });
  }
  for (const { id, name, managedBy, settings: kept, draining } of stored) {
    if (managedBy === 'api' && kept) add({ id, managedBy, settings: kept, draining });
    // Where agents cannot report, theirs could never be told from nodes that are gone.
    if (managedBy === 'agent' && kept && settings.agents.listen && !names.has(name))
      add({ id, managedBy, settings: kept, draining });
  }
  for (const node of settings.discovery.nodes) {
    // What the configuration, the API or an agent has is theirs.
    const isThere = registrations.some(
      ({ settings: { url, viaTunnel } }) => !viaTunnel && sameMachineUrl(url) === sameMachineUrl(node.url),
    );
    if (isThere || names.has(node.name)) continue;
    const known = stored.find(({ name }) => name === node.name);
    const id = known?.managedBy === 'file' ? known.id : table.idOf(node.name, 'file');
    add({ id, managedBy: 'discovery', foundBy: 'file', settings: node, draining: known?.draining ?? false });
  }
  for (const { id, name, managedBy, draining } of stored) {
    const before = resume?.nodes.find((node) => node?.id === id);
    if (names.has(name) || !before) continue;
    const source = settings.discovery.dns.find((each) => managedBy === `dns ${each.id}`);
    if (source) {
      const of = { ...source.node, name, url: before.baseUrl };
      add({ id, managedBy: 'discovery', foundBy: managedBy, settings: of, draining });
    } else if (managedBy === 'discovery' && settings.discovery.enabled) {
      add({ id, managedBy, settings: discoveredSettings(name, before.baseUrl), draining });
    }
  }
  // Those that keep an index come first, or a new one could be given it.
  return registrations.toSorted((a, b) => Number(Boolean(b.remembered)) - Number(Boolean(a.remembered)));
}

export function discoveredSettings(name: string, url: string): NodeSettings {
  return { name, url, engine: 'auto', headers: {} };
}

function refuseUnusable(node: NodeSettings): void {
  try {
    readNodeUrl(node.url);
  } catch (error) {
    if (error instanceof NodeUrlError) throw new UnusableSettings(`nodes: ${node.name}: url ${error.message}`);
    throw error;
  }
}

function remember(
  resume: FleetSnapshot | null,
  id: string,
): { readonly node: NodeSnapshot; readonly models: readonly ListedModel[] } | undefined {
  const node = resume?.nodes.find((other) => other?.id === id);
  if (!resume || !node) return undefined;
  const models = [...resume.models.values()].flatMap(({ name: model, offers }) =>
    offers
      .filter((offer) => offer.node === node.index)
      .map(({ upstream, ready, slots }) => ({ model, upstream, ready, slots, sizeBytes: null, contextTokens: null })),
  );
  return { node, models };
}
