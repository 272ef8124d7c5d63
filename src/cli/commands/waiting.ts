import { exitCodes, Failure } from '../failure.ts';
import { duration } from '../output/figures.ts';
import { isOver, progressLine, type Task } from '../output/progress.ts';
import { type Column, printable, table } from '../output/table.ts';
import type { Called } from './admin-command.ts';

// Waiting for tasks. They run in the router, so that whoever stops waiting stops nothing; that is said, with how to cancel. On a terminal the
// progress is redrawn in place, elsewhere each change of state is a line; both on standard error, so that --json stays clean.

const LOOK_EVERY_MS = 500;
const REDRAW = '\r\u001b[K';

export const taskColumns: readonly Column<Task>[] = [
  { title: 'TASK', of: ({ kind }) => kind },
  { title: 'MODEL', of: ({ model }) => model },
  { title: 'NODE', of: ({ nodeName }) => nodeName },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'DONE', of: share, isNumber: true },
  {
    title: 'TOOK',
    of: ({ startedAt, endedAt }) => (startedAt && endedAt ? duration(endedAt - startedAt) : null),
    isNumber: true,
  },
  { title: 'ID', of: ({ id }) => id },
];

/** Waits until the tasks are over, unless --no-wait, and prints them, for programs as `answerOf` says; throws `Failure` where one was not done. */
export async function followTasks(
  called: Called,
  begun: readonly Task[],
  look: () => Promise<readonly Task[]>,
  answerOf: (tasks: readonly Task[]) => unknown = ([task]) => task,
): Promise<void> {
  const { options, print } = called;
  const tasks = options.isTurnedOff('wait') ? begun : await untilOver(called, begun, look);
  print(answerOf(tasks), () => table(tasks, taskColumns, 'Nothing is to be done.') + reasons(tasks));
  const undone = tasks.filter((task) => isOver(task) && task.state !== 'done');
  if (undone.length > 0) throw new Failure(exitCodes.failed, `${undone.length} of ${tasks.length} could not be done.`);
}

async function untilOver(
  { host: { terminal, stderr, signals } }: Called,
  begun: readonly Task[],
  look: () => Promise<readonly Task[]>,
): Promise<readonly Task[]> {
  const interrupted = new AbortController();
  signals.on('SIGINT', () => interrupted.abort());
  let tasks = begun;
  const told = new Map<string, string>();
  const tell = (): void => {
    if (terminal.isErrorTty) {
      stderr(REDRAW + progressLine(tasks, terminal.size().columns));
      return;
    }
    for (const task of tasks) {
      const line = lineOf(task);
      if (told.get(task.id) !== line) stderr(line);
      told.set(task.id, line);
    }
  };
  try {
    for (;;) {
      tell();
      if (tasks.every((task) => isOver(task))) return tasks;
      await terminal.sleep(LOOK_EVERY_MS, interrupted.signal);
      if (interrupted.signal.aborted) throw new Failure(exitCodes.interrupted, goesOn(tasks));
      tasks = await look();
    }
  } finally {
    if (terminal.isErrorTty) stderr(REDRAW);
  }
}

/** Why it waits is told; what it does changes too often. */
function lineOf({ model, nodeName, state, detail }: Task): string {
  const why = state === 'queued' && detail !== null ? ` (${printable(detail)})` : '';
  return `${printable(model)} on ${printable(nodeName)}: ${state}${why}\n`;
}

function goesOn(tasks: readonly Task[]): string {
  const open = tasks.filter((task) => !isOver(task));
  return `No longer waiting; the router goes on. To stop it too:\n${open.map(({ id }) => `  weir tasks cancel ${id}\n`).join('')}`;
}

/** Why, for those that say so. */
export function reasons(tasks: readonly Task[]): string {
  return tasks
    .filter(({ state, detail }) => state !== 'done' && detail !== null)
    .map(({ model, nodeName, detail }) => `${printable(model)} on ${printable(nodeName)}: ${printable(detail ?? '')}\n`)
    .join('');
}

function share({ completedBytes, totalBytes }: Task): string | null {
  if (completedBytes === null || totalBytes === null || totalBytes === 0) return null;
  return `${Math.floor((completedBytes / totalBytes) * 100)}%`;
}
