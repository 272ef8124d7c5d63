import type { Gauges, NodeGauges } from '../../fleet/telemetry.ts';
import type { AgentView } from '../agent-desk.ts';
import { engineOf } from '../nodes/build-snapshot.ts';
import type { RegisteredNode } from '../nodes/registered-node.ts';
import { slotsOf } from '../nodes/slots.ts';

// A node as administrators see it. Its key and the values of its headers are never shown.

export const MASK = '***';

/** `agent` null: it has none. `gauges` null: what the data plane counts is not known now, and is null here. */
export function nodeView(
  node: RegisteredNode,
  gauges: Gauges | null,
  agent: AgentView | null,
): Readonly<Record<string, unknown>> {
  const { settings, health } = node;
  const counts = countsOf(node, gauges);
  const engine = engineOf(node);
  return {
    id: node.id,
    name: settings.name,
    url: settings.url,
    engine: node.engine === null && settings.engine === 'auto' ? null : engine,
    engineSetting: settings.engine,
    state: health.state,
    detail: health.detail,
    draining: node.draining,
    managedBy: node.managedBy,
    foundBy: node.managedBy === 'discovery' ? (node.foundBy ?? 'ports') : null,
    provider: settings.provider ?? null,
    maxConcurrent: settings.maxConcurrent ?? null,
    slots: counts?.slots ?? slotsOf(settings.maxConcurrent ?? null, node.slotsTold, engine),
    slotsFrom: slotsFrom(node),
    taken: counts?.taken ?? null,
    breaker: counts?.breaker ?? null,
    cooling: counts?.cooling ?? null,
    sockets: counts ? { idle: counts.socketsIdle, busy: counts.socketsBusy, opened: counts.socketsOpened } : null,
    models: node.models?.map(({ model }) => model) ?? [],
    load: node.load,
    version: node.version,
    lastProbeAt: node.lastProbeAt,
    apiKey: settings.apiKey === undefined ? null : MASK,
    headers: Object.fromEntries(Object.keys(settings.headers).map((name) => [name, MASK])),
    tags: settings.tags ?? [],
    memoryBytes: settings.memoryBytes ?? null,
    logsUrl: settings.logsUrl ?? null,
    agent,
    modelNames: settings.models ?? null,
    timeouts: settings.timeouts ?? null,
    tls: settings.tls
      ? {
          ca: settings.tls.ca ?? null,
          cert: settings.tls.cert ?? null,
          key: settings.tls.key === undefined ? null : MASK,
          verify: settings.tls.verify ?? true,
        }
      : null,
  };
}

function countsOf(node: RegisteredNode, gauges: Gauges | null): NodeGauges | null {
  const found = gauges?.nodes.find(({ index, generation }) => index === node.index && generation === node.generation);
  return found ?? null;
}

function slotsFrom({ settings, slotsTold }: RegisteredNode): 'configuration' | 'engine' | 'guess' {
  if (settings.maxConcurrent !== undefined) return 'configuration';
  return slotsTold === null ? 'guess' : 'engine';
}
