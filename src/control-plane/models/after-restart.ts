import type { Task } from '../task.ts';

// What a new router makes of a task in whose middle the former one stopped. A pull is taken up again, because an engine goes on
// where it was. A load or an unload is not: by now another may be wanted. A pull in whose middle the router stopped again and
// again is given up: it may be what stops it.

const MOST_INTERRUPTIONS = 20;

/** `wall`: epoch ms. */
export function afterRestart(task: Task, wall: number): Task {
  if (task.state !== 'running') return task;
  const interruptions = task.interruptions + 1;
  if (task.kind === 'pull' && interruptions <= MOST_INTERRUPTIONS) {
    return {
      ...task,
      state: 'queued',
      interruptions,
      detail: 'The router stopped in the middle of it; it is taken up again.',
    };
  }
  const times = interruptions > 1 ? `, ${interruptions} times` : '';
  const detail = `The router stopped in the middle of it${times}. Ask for it again.`;
  return { ...task, state: 'interrupted', interruptions, detail, endedAt: wall };
}
