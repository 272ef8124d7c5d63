// What an engine is told to do with a model and takes its time over: the words between `models/` (which runs tasks), `store/`
// (which keeps them) and `api/` (which shows them).

export const taskKinds = ['pull', 'load', 'unload'] as const;
export type TaskKind = (typeof taskKinds)[number];

/**
 * `queued`: it waits for its turn, for its node, or for its next attempt. `interrupted`: the router stopped in the middle and did
 * not take it up again; `detail` says why.
 */
export const taskStates = ['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const;
export type TaskState = (typeof taskStates)[number];

export const taskOrigins = ['api', 'rule'] as const;

/** What is asked for. */
export interface TaskOrder {
  readonly kind: TaskKind;
  readonly nodeId: string;
  readonly nodeName: string;
  /** As asked for; the engine may know it under another name. */
  readonly model: string;
  /** Of a load: as the engine takes it; `pinned`: until it is unloaded. Null: as the engine usually does. */
  readonly keepAlive: string | null;
  readonly origin: (typeof taskOrigins)[number];
  /** Shared by the tasks of one distribution. */
  readonly distribution: string | null;
}

export interface Task extends TaskOrder {
  readonly id: string;
  readonly state: TaskState;
  /** What it does now, waits for, or failed of; for administrators. */
  readonly detail: string | null;
  /** Of the failure. */
  readonly code: string | null;
  readonly attempts: number;
  /** How often the router stopped in the middle of it. */
  readonly interruptions: number;
  readonly completedBytes: number | null;
  readonly totalBytes: number | null;
  /** Null where nothing moves. */
  readonly bytesPerSecond: number | null;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly nextAttemptAt: number | null;
}

export function isOver({ state }: Task): boolean {
  return state !== 'queued' && state !== 'running';
}
