import type { Clock } from '../../lib/clock.ts';
import { canonicalModel } from '../../fleet/glossary.ts';
import { isOver, type Task, type TaskKind, type TaskOrder } from '../task.ts';
import { afterRestart } from './after-restart.ts';
import type { AttemptEnd, Progress } from './attempt-end.ts';
import { Attempts } from './attempts.ts';
import { nextTasks } from './next-tasks.ts';
import { Pace } from './pace.ts';

// The tasks there are, and what becomes of them. One rule above all: the same thing is never done twice at once to a node, so that
// whoever asks for what is under way gets that task. A task waits while its node is away and is tried again when it broke; it ends
// when it is done, when the engine says that it never will be, when somebody cancels it or when its node is removed.
//
// Tasks are kept in the store as they change, progress now and then, so a router that stops in the middle leaves little undone.

const AWAY = 'It waits for its node to come back.';
const BEHIND = 'It waits for its turn.';
const KEPT = 1000;
const NOTED_APART_MS = 200;
const SAVED_APART_MS = 5000;

export interface TasksOptions {
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly random: () => number;
  readonly newId: () => string;
  readonly maxPulls: number;
  /** Oldest first, as they were kept. */
  readonly stored: readonly Task[];
  /** Keeps a new task; may throw, and then there is none. */
  readonly keep: (task: Task) => void;
  /** Keeps what became of a task; must not throw. */
  readonly save: (task: Task) => void;
  readonly forget: (ids: readonly string[]) => void;
  readonly nodeState: (nodeId: string) => 'up' | 'away' | 'gone';
  /** One attempt; must not reject for anything that a node does, and ends soon after `signal`. */
  readonly attempt: (task: Task, report: (progress: Progress) => void, signal: AbortSignal) => Promise<AttemptEnd>;
  /** It is over. */
  readonly onEnd: (task: Task) => void;
}

interface Running {
  readonly control: AbortController;
  readonly attempts: Attempts;
  /** Its next attempt may begin. */
  isDue: boolean;
  notedAt: number;
  savedAt: number;
  readonly pace: Pace;
}

export class Tasks {
  readonly #options: TasksOptions;
  readonly #tasks = new Map<string, Task>();
  readonly #running = new Map<string, Running>();
  readonly #followers = new Set<(task: Task) => void>();
  #isStopped = false;

  constructor(options: TasksOptions) {
    this.#options = options;
    for (const task of options.stored) {
      const now = afterRestart(task, options.clock.wall());
      this.#tasks.set(task.id, now);
      if (now !== task) options.save(now);
    }
  }

  /** Oldest first. */
  all(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  byId(id: string): Task | null {
    return this.#tasks.get(id) ?? null;
  }

  /** The task that does this, a new one unless it is under way. Throws what `keep` throws. */
  start(order: TaskOrder): { readonly task: Task; readonly isNew: boolean } {
    const same = this.all().find((task) => !isOver(task) && isSame(task, order));
    if (same) return { task: same, isNew: false };
    const { clock, newId, keep } = this.#options;
    const task: Task = { ...order, id: newId(), createdAt: clock.wall(), ...unbegun };
    keep(task);
    this.#tasks.set(task.id, task);
    this.#tell(task);
    this.wake();
    return { task: this.byId(task.id) ?? task, isNew: true };
  }

  /** The task as it is then; a task that is over stays as it was. Null: there is none. */
  cancel(id: string): Task | null {
    const task = this.byId(id);
    if (task && !isOver(task)) this.#end(task, { state: 'cancelled', detail: 'An administrator cancelled it.' });
    return this.byId(id);
  }

  /** Calls back with each task as it changes; returns what ends that. */
  follow(listener: (task: Task) => void): () => void {
    this.#followers.add(listener);
    return () => void this.#followers.delete(listener);
  }

  /** Something that tasks wait for may have changed: a node, a free place, the time. */
  wake(): void {
    if (this.#isStopped) return;
    const { nodeState, maxPulls } = this.#options;
    for (const task of this.all().filter((one) => !isOver(one))) {
      const state = nodeState(task.nodeId);
      if (state === 'gone') this.#end(task, { state: 'failed', code: 'node_gone', detail: 'Its node was removed.' });
      else if (task.state === 'queued' && state === 'away') this.#change(task, { detail: AWAY });
      else if (task.detail === AWAY) this.#change(task, { detail: null });
    }
    const turn = {
      isDue: ({ id }: Task) => this.#running.get(id)?.isDue ?? true,
      isUp: (nodeId: string) => nodeState(nodeId) === 'up',
      maxPulls,
    };
    for (const task of nextTasks(this.all(), turn)) void this.#attempt(task);
    for (const task of this.all()) {
      if (task.state === 'queued' && task.detail === null) this.#change(task, { detail: BEHIND });
    }
  }

  /** That node moved, or fell silent: what runs there begins anew. `only` that kind. */
  renew(nodeId: string, only: TaskKind | null = null): void {
    for (const task of this.all()) {
      if (task.state !== 'running' || task.nodeId !== nodeId || (only !== null && task.kind !== only)) continue;
      this.#running.get(task.id)?.control.abort();
      this.#running.delete(task.id);
      this.#change(task, { state: 'queued', detail: null, bytesPerSecond: null }, true);
    }
    this.wake();
  }

  /** Ends all exchanges; what was under way is taken up again by the next router. */
  stop(): void {
    this.#isStopped = true;
    for (const [id, { control }] of this.#running) {
      control.abort();
      const task = this.byId(id);
      if (task) this.#options.save(task);
    }
    this.#running.clear();
  }

  async #attempt(task: Task): Promise<void> {
    const { clock, random, attempt } = this.#options;
    const running: Running = {
      control: new AbortController(),
      attempts: this.#running.get(task.id)?.attempts ?? new Attempts(),
      isDue: true,
      notedAt: -Infinity,
      savedAt: clock.now(),
      pace: new Pace(),
    };
    this.#running.set(task.id, running);
    const begun = { state: 'running', detail: null, attempts: task.attempts + 1, nextAttemptAt: null } as const;
    this.#change(task, { ...begun, startedAt: task.startedAt ?? clock.wall() }, true);
    const isMine = (): boolean => this.#running.get(task.id) === running && !running.control.signal.aborted;
    const report = (progress: Progress): void => {
      if (isMine()) this.#report(task.id, running, progress);
    };
    const end = await attempt(this.byId(task.id) ?? task, report, running.control.signal);
    const now = this.byId(task.id);
    if (!now || !isMine() || this.#isStopped) return;
    if (end.kind === 'done') return this.#end(now, { state: 'done', detail: null, completedBytes: now.totalBytes });
    if (end.kind === 'failed') return this.#end(now, { state: 'failed', code: end.code, detail: end.detail });
    const pauseMs = running.attempts.broke(now.completedBytes, random());
    if (pauseMs === null) {
      const detail = `${end.detail} It was tried ${now.attempts} times.`;
      return this.#end(now, { state: 'failed', code: `${now.kind}_failed`, detail });
    }
    running.isDue = false;
    const pause = { state: 'queued', detail: end.detail, bytesPerSecond: null } as const;
    this.#change(now, { ...pause, nextAttemptAt: Math.round(clock.wall() + pauseMs) }, true);
    clock.after(pauseMs, () => {
      // Not left to the comparison of times: timers come a fraction of a millisecond early, and nothing else would wake it.
      running.isDue = true;
      this.wake();
    });
    this.wake();
  }

  #report(id: string, running: Running, progress: Progress): void {
    const task = this.byId(id);
    if (!task) return;
    const now = this.#options.clock.now();
    const bytesPerSecond = running.pace.at(progress.completedBytes, now) ?? task.bytesPerSecond;
    const changed = { ...task, ...progress, bytesPerSecond };
    this.#tasks.set(id, changed);
    if (now - running.savedAt >= SAVED_APART_MS) {
      running.savedAt = now;
      this.#options.save(changed);
    }
    if (now - running.notedAt < NOTED_APART_MS && progress.detail === task.detail) return;
    running.notedAt = now;
    this.#tell(changed);
  }

  #end(task: Task, change: Partial<Task>): void {
    this.#running.get(task.id)?.control.abort();
    this.#running.delete(task.id);
    const { clock, forget, onEnd } = this.#options;
    const ended = { endedAt: clock.wall(), nextAttemptAt: null, bytesPerSecond: null, ...change };
    this.#change(task, ended, true);
    const over = this.all().filter(isOver);
    const old = over.slice(0, Math.max(0, over.length - KEPT)).map(({ id }) => id);
    for (const id of old) this.#tasks.delete(id);
    if (old.length > 0) forget(old);
    onEnd({ ...task, ...ended });
    // Not at once: who ends one task may be about to end another.
    queueMicrotask(() => this.wake());
  }

  #change(task: Task, change: Partial<Task>, isKept = false): void {
    const changed = { ...task, ...change };
    if (!isKept && changed.detail === task.detail) return;
    this.#tasks.set(task.id, changed);
    if (isKept) this.#options.save(changed);
    this.#tell(changed);
  }

  #tell(task: Task): void {
    for (const follower of this.#followers) follower(task);
  }
}

const unbegun = {
  state: 'queued',
  detail: null,
  code: null,
  attempts: 0,
  interruptions: 0,
  completedBytes: null,
  totalBytes: null,
  bytesPerSecond: null,
  startedAt: null,
  endedAt: null,
  nextAttemptAt: null,
} as const satisfies Partial<Task>;

function isSame(task: Task, order: TaskOrder): boolean {
  return (
    task.kind === order.kind &&
    task.nodeId === order.nodeId &&
    canonicalModel(task.model) === canonicalModel(order.model)
  );
}
