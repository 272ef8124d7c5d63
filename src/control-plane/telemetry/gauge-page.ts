import { type NodeState, nodeStates } from '../../fleet/glossary.ts';
import type { Gauges } from '../../fleet/telemetry.ts';
import { type Task, taskKinds, taskStates } from '../task.ts';
import { exposed, type Sample } from './exposition.ts';

// What is read anew for each scrape: the data plane's own counts, the states of the nodes, the process. Nothing of a node that is
// gone stays behind, and where the data plane does not answer in time its numbers are left out of the page: an old number
// would look like a fresh one.

const breakerStates = ['closed', 'open', 'half-open'] as const;

/** A node as the control plane knows it, by the index and generation that gauges name. */
export interface MeteredNode {
  readonly index: number;
  readonly generation: number;
  readonly name: string;
  readonly state: NodeState;
}

export interface ProcessFigures {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  /** Epoch ms. */
  readonly startedAt: number;
}

/** Prometheus' text for the gauges; `gauges` is null where the data plane did not answer. */
export function gaugePage(
  gauges: Gauges | null,
  nodes: readonly MeteredNode[],
  figures: ProcessFigures,
  tasks: readonly Pick<Task, 'kind' | 'state'>[],
): string {
  const page: string[] = [];
  const add = (name: string, help: string, samples: readonly Sample[]): void => {
    if (samples.length > 0) page.push(exposed(name, help, samples));
  };
  const states = nodes.flatMap(({ name: node, state: current }) =>
    nodeStates.map((state): Sample => [Number(state === current), { node, state }]),
  );
  add('weir_node_state', 'State of a node; 1 for the one it is in.', states);
  add('weir_process_resident_bytes', 'Resident memory of the process.', [[figures.residentBytes]]);
  add('weir_process_cpu_seconds_total', 'CPU time of the process, all its threads.', [[figures.cpuSeconds]]);
  add('weir_process_start_time_seconds', "Unix time of the router's start.", [[figures.startedAt / 1000]]);
  const counted = taskKinds.flatMap((kind) =>
    taskStates.map((state): Sample => {
      return [tasks.filter((task) => task.kind === kind && task.state === state).length, { kind, state }];
    }),
  );
  add('weir_tasks', 'Tasks on models; of those that are over, the last thousand.', counted);
  if (gauges) addDataPlane(gauges, nodes, add);
  return page.join('\n');
}

function addDataPlane(
  gauges: Gauges,
  nodes: readonly MeteredNode[],
  add: (name: string, help: string, rows: readonly Sample[]) => void,
): void {
  const named = gauges.nodes.flatMap((counts) => {
    const node = nodes.find(({ index, generation }) => index === counts.index && generation === counts.generation);
    return node ? [{ node: node.name, counts }] : [];
  });
  add('weir_waiters', 'Requests in the waiting room.', [[gauges.waiters]]);
  add(
    'weir_model_waiters',
    'Requests in the waiting room, by model.',
    gauges.models.map(({ model, waiters }) => [waiters, { model }]),
  );
  add('weir_waiting_bytes', 'Bytes of bodies held in the waiting room.', [[gauges.waitingBytes]]);
  add('weir_open_leases', 'Slots taken over all nodes; 0 when idle.', [[gauges.openLeases]]);
  add('weir_open_requests', 'Requests between arrival and settlement.', [[gauges.openRequests]]);
  add('weir_retry_budget', 'Retries that the budget allows now.', [[gauges.retryBudget]]);
  add('weir_settlements_dropped_total', 'Settlements the control plane did not take.', [[gauges.settlementsDropped]]);
  add(
    'weir_slots',
    'Slots of a node.',
    named.map(({ node, counts }) => [counts.slots, { node }]),
  );
  add(
    'weir_slots_taken',
    'Slots of a node that are taken.',
    named.map(({ node, counts }) => [counts.taken, { node }]),
  );
  add(
    'weir_breaker_state',
    'Breaker of a node; 1 for the state it is in.',
    named.flatMap(({ node, counts }) =>
      breakerStates.map((state): Sample => [Number(state === counts.breaker), { node, state }]),
    ),
  );
  add(
    'weir_pool_sockets',
    'Sockets to a node for requests.',
    named.flatMap(({ node, counts }): Sample[] => [
      [counts.socketsIdle, { node, state: 'idle' }],
      [counts.socketsBusy, { node, state: 'busy' }],
    ]),
  );
  add(
    'weir_pool_sockets_opened_total',
    'Sockets opened to a node for requests since the start.',
    named.map(({ node, counts }) => [counts.socketsOpened, { node }]),
  );
}
