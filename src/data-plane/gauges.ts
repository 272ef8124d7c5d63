import { poolOf } from './attempt/node-request.ts';
import type { DispatcherCounts } from './dispatcher/counts.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import type { Gauges } from '../fleet/telemetry.ts';
import type { HttpClient } from '../http-client/http-client.ts';
import { publicName } from './spoken.ts';

// What the control plane is told on asking. The dispatcher counts for all threads; sockets and open requests each thread counts for
// itself, and they are added up.

/** What one relay thread counts of its own. */
export interface ThreadReport {
  readonly openRequests: number;
  readonly settlementsDropped: number;
  readonly sockets: readonly NodeSockets[];
}

interface NodeSockets {
  readonly index: number;
  readonly generation: number;
  readonly idle: number;
  readonly busy: number;
  readonly opened: number;
}

export function socketsOf({ nodes }: FleetSnapshot, httpClient: HttpClient): NodeSockets[] {
  return nodes
    .filter((node) => node !== null)
    .map((node) => {
      const { idle, busy, opened } = httpClient.sockets(poolOf(node));
      return { index: node.index, generation: node.generation, idle, busy, opened };
    });
}

export function gaugesOf(counts: DispatcherCounts, draining: boolean, reports: readonly ThreadReport[]): Gauges {
  const waitersByModel = new Map<string, number>();
  for (const { model, waiters } of counts.models) {
    const name = publicName(model);
    waitersByModel.set(name, (waitersByModel.get(name) ?? 0) + waiters);
  }
  const sum = (of: (report: ThreadReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    openLeases: counts.openLeases,
    waiters: counts.waiters,
    waitingBytes: counts.waitingBytes,
    openRequests: sum(({ openRequests }) => openRequests),
    draining,
    settlementsDropped: sum(({ settlementsDropped }) => settlementsDropped),
    retryBudget: counts.retryBudget,
    nodes: counts.nodes.map((node) => {
      const sockets = reports.flatMap((report) =>
        report.sockets.filter(({ index, generation }) => index === node.index && generation === node.generation),
      );
      const add = (of: (each: NodeSockets) => number): number => sockets.reduce((total, each) => total + of(each), 0);
      return Object.assign(node, {
        socketsIdle: add(({ idle }) => idle),
        socketsBusy: add(({ busy }) => busy),
        socketsOpened: add(({ opened }) => opened),
      });
    }),
    models: Array.from(waitersByModel, ([model, waiters]) => ({ model, waiters })),
  };
}
