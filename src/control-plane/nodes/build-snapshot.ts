import { prefixOf } from '../../fleet/glossary.ts';
import type {
  FleetSnapshot,
  KeySnapshot,
  ModelFiles,
  ModelOffer,
  ModelSnapshot,
  NodeSnapshot,
} from '../../fleet/snapshot.ts';
import type { RegisteredNode } from './registered-node.ts';
import { slotsOf } from './slots.ts';

// The fleet as the data plane sees it, from what the control plane knows. A model is offered whatever the state of its
// node: a request for it may wait for the node to come back, where one for an unknown model is told so at once.

export interface SnapshotParts {
  readonly version: number;
  readonly settled: boolean;
  readonly nodes: readonly RegisteredNode[];
  readonly keys: ReadonlyMap<string, KeySnapshot>;
  /** Epoch ms by canonical name. */
  readonly firstSeenAt: (model: string) => number;
}

export function buildSnapshot({ version, settled, nodes, keys, firstSeenAt }: SnapshotParts): FleetSnapshot {
  const size = nodes.reduce((most, node) => Math.max(most, node.index + 1), 0);
  const byIndex = Array.from<NodeSnapshot | null>({ length: size }).fill(null);
  const prefixes = nodes.flatMap((node) => prefixModel(node, firstSeenAt));
  const offers = new Map<string, ModelOffer[]>();
  const files = new Map<string, ModelFiles>();
  for (const node of nodes.toSorted((a, b) => a.index - b.index)) {
    byIndex[node.index] = snapshotOf(node);
    for (const { model, upstream, ready, slots } of node.models ?? []) {
      // What is called like a provider's model goes there and nowhere else.
      if (!node.settings.provider && prefixes.some(({ name }) => model.startsWith(name))) continue;
      const offer = { node: node.index, upstream, ready, slots };
      const told = files.get(model) ?? filesOf(node, upstream);
      if (told) files.set(model, told);
      const others = offers.get(model);
      if (others) others.push(offer);
      else offers.set(model, [offer]);
    }
  }
  const models = new Map(prefixes.map((model) => [model.name, model]));
  for (const name of [...offers.keys()].toSorted()) {
    const told = files.get(name);
    const seen = { name, offers: offers.get(name) ?? [], firstSeenAt: firstSeenAt(name) };
    models.set(name, told ? { ...seen, files: told } : seen);
  }
  return { version, settled, nodes: byIndex, models, keys };
}

/** What the node's engine tells of a model's files; null where it tells nothing. */
function filesOf({ listed }: RegisteredNode, upstream: string): ModelFiles | null {
  const model = listed?.find(({ name }) => name === upstream);
  if (!model) return null;
  const { sizeBytes, quantization = null, digest = null } = model;
  return sizeBytes === null && quantization === null && digest === null ? null : { sizeBytes, quantization, digest };
}

/** What stands for all models of a provider; nothing for other nodes. */
function prefixModel(
  { index, settings: { provider } }: RegisteredNode,
  firstSeenAt: SnapshotParts['firstSeenAt'],
): ModelSnapshot[] {
  if (!provider) return [];
  const name = prefixOf(provider);
  const offer = { node: index, upstream: '', ready: true, slots: null };
  return [{ name, isPrefix: true, offers: [offer], firstSeenAt: firstSeenAt(name) }];
}

function snapshotOf(node: RegisteredNode): NodeSnapshot {
  const { settings } = node;
  const engine = engineOf(node);
  return {
    index: node.index,
    generation: node.generation,
    id: node.id,
    name: settings.name,
    baseUrl: node.address.baseUrl,
    ...(node.address.socketPath === undefined ? {} : { socketPath: node.address.socketPath }),
    engine,
    ...(settings.provider ? { provider: settings.provider } : {}),
    state: node.health.state,
    draining: node.draining,
    slots: slotsOf(settings.maxConcurrent ?? null, node.slotsTold, engine),
    slotsGuessed: settings.maxConcurrent === undefined && node.slotsTold === null,
    apiKey: settings.apiKey ?? null,
    headers: settings.headers,
    tls: settings.tls ?? null,
    timeouts: settings.timeouts ?? {},
    probes: node.probes,
  };
}

/** What a node is taken for: as set, else as recognised, else the least specific. */
export function engineOf(node: RegisteredNode): NodeSnapshot['engine'] {
  return node.settings.engine === 'auto' ? (node.engine ?? 'openai') : node.settings.engine;
}
