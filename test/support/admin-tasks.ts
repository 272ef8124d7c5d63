import type { Task } from '../../src/control-plane/task.ts';
import type { NodeSettings } from '../../src/fleet/settings.ts';
import type { TestControlPlane } from './control-plane.ts';
import { until } from './until.ts';

/** A node of the configuration. */
export function nodeEntry(name: string, url: string, more: Partial<NodeSettings> = {}): NodeSettings {
  return { name, url, engine: 'auto', headers: {}, ...more };
}

export async function taskOf(plane: TestControlPlane, id: string): Promise<Task> {
  return Object((await plane.api('GET', `/api/tasks/${id}`)).json);
}

/** Newest first. */
export async function tasksOf(plane: TestControlPlane, query = ''): Promise<readonly Task[]> {
  return Object((await plane.api('GET', `/api/tasks${query}`)).json).data;
}

/** Resolves with the task when it is in that state, or when that holds of it. */
export function taskIs(plane: TestControlPlane, id: string, wanted: string | ((task: Task) => boolean)): Promise<Task> {
  let task: Task | null = null;
  return until(
    async () => {
      task = await taskOf(plane, id);
      return (typeof wanted === 'string' ? task.state === wanted : wanted(task)) && task;
    },
    { what: () => `task ${id} to be as wanted; it is ${JSON.stringify(task)}` },
  );
}

/** `status code: message` of a refusal. */
export async function refusalOf(plane: TestControlPlane, path: string, body: object): Promise<string> {
  const { status, json } = await plane.api('POST', path, body);
  const { code, message } = Object(Object(json).error);
  return `${status} ${code}: ${message}`;
}
