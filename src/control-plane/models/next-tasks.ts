import type { Task } from '../task.ts';

// Whose turn it is. Oldest first, with three bounds: one pull at a time on a node, since two share its line and its disk and both
// take longer; one load or unload at a time on a node, since they undo each other; and so many pulls over the whole fleet, since a
// distribution to two hundred nodes would take the site's uplink. A pull does not hold up a load. A task whose node is away holds
// up nobody.

export interface Turn {
  /** Its next attempt may begin. */
  readonly isDue: (task: Task) => boolean;
  readonly isUp: (nodeId: string) => boolean;
  readonly maxPulls: number;
}

/** Those of `tasks` (oldest first) that are to begin now. */
export function nextTasks(tasks: readonly Task[], { isDue, isUp, maxPulls }: Turn): readonly Task[] {
  const running = tasks.filter(({ state }) => state === 'running');
  const taken = new Set(running.map(laneOf));
  let pulls = running.filter(({ kind }) => kind === 'pull').length;
  const next: Task[] = [];
  for (const task of tasks) {
    if (task.state !== 'queued' || taken.has(laneOf(task)) || !isUp(task.nodeId) || !isDue(task)) continue;
    if (task.kind === 'pull') {
      if (pulls >= maxPulls) continue;
      pulls += 1;
    }
    taken.add(laneOf(task));
    next.push(task);
  }
  return next;
}

function laneOf({ nodeId, kind }: Task): string {
  return `${kind === 'pull' ? 'disk' : 'memory'} ${nodeId}`;
}
