import type { AnswerOf } from '../admin/admin-client.ts';
import { bytes } from './figures.ts';
import { printable } from './table.ts';

// How far tasks are, in one line that can be redrawn. Sizes grow while an engine learns what there is to pull, so a share may fall.

export type Task = AnswerOf<'GET /api/tasks/:id'>;

const BAR = 24;

export function isOver({ state }: Task): boolean {
  return state !== 'queued' && state !== 'running';
}

/** At most `columns` characters. */
export function progressLine(tasks: readonly Task[], columns: number): string {
  const [only] = tasks;
  const line = only && tasks.length === 1 ? lineOf(only) : lineOfMany(tasks);
  return line.slice(0, Math.max(20, columns - 1));
}

function lineOf(task: Task): string {
  const what = `${printable(task.model)} on ${printable(task.nodeName)}`;
  const doing = task.detail === null ? task.state : printable(task.detail);
  return `${what}  ${amount(task.completedBytes, task.totalBytes, task.bytesPerSecond)}${doing}`;
}

function lineOfMany(tasks: readonly Task[]): string {
  const over = tasks.filter(isOver);
  const failed = over.filter(({ state }) => state !== 'done').length;
  const sum = (of: (task: Task) => number | null): number => tasks.reduce((total, task) => total + (of(task) ?? 0), 0);
  const figures = amount(
    sum(({ completedBytes }) => completedBytes),
    sum(({ totalBytes }) => totalBytes),
    sum(({ bytesPerSecond }) => bytesPerSecond),
  );
  return `${over.length} of ${tasks.length} over${failed > 0 ? `, ${failed} not done` : ''}  ${figures}`.trimEnd();
}

function amount(completed: number | null, total: number | null, perSecond: number | null): string {
  if (completed === null || total === null || total === 0) return '';
  const share = Math.min(1, completed / total);
  const full = Math.floor(share * BAR);
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
  const speed = perSecond ? ` ${bytes(perSecond)}/s` : '';
  return `${bar} ${bytes(completed)} of ${bytes(total)}${speed}  `;
}
