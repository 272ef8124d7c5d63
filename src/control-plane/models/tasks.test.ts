import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import type { Task, TaskOrder } from '../task.ts';
import type { AttemptEnd, Progress } from './attempt-end.ts';
import { Tasks, type TasksOptions } from './tasks.ts';

interface Attempt {
  readonly task: Task;
  readonly signal: AbortSignal;
  report(completedBytes: number, detail?: string): void;
  /** Ends it and lets its consequences happen. */
  end(end: AttemptEnd): Promise<void>;
}

/** Tasks whose attempts the test ends. */
function stage(more: Partial<TasksOptions> = {}) {
  const clock = new ManualClock();
  const attempts: Attempt[] = [];
  const saved = new Map<string, Task>();
  const nodes = new Map<string, 'up' | 'away' | 'gone'>();
  let ids = 0;
  const save = (task: Task): void => void saved.set(task.id, task);
  const tasks = new Tasks({
    clock,
    random: () => 1,
    newId: () => `t${String((ids += 1)).padStart(5, '0')}`,
    maxPulls: 2,
    stored: [],
    keep: save,
    save,
    forget: (forgotten) => forgotten.forEach((id) => saved.delete(id)),
    nodeState: (id) => nodes.get(id) ?? 'up',
    attempt: (task, report: (progress: Progress) => void, signal) =>
      new Promise((resolve) => {
        attempts.push({
          task,
          signal,
          report: (completedBytes, detail = 'pulling') => report({ detail, completedBytes, totalBytes: 100 }),
          end: async (end) => {
            resolve(end);
            await settled();
          },
        });
      }),
    onEnd: () => undefined,
    ...more,
  });
  const states = (): string[] => tasks.all().map(({ nodeId, state }) => `${nodeId} ${state}`);
  return { clock, attempts, saved, nodes, tasks, states };
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function order(nodeId: string, model = 'm', more: Partial<TaskOrder> = {}): TaskOrder {
  const rest = { nodeName: nodeId, keepAlive: null, origin: 'api', distribution: null } as const;
  return { kind: 'pull', nodeId, model, ...rest, ...more };
}

const again: AttemptEnd = { kind: 'again', detail: 'It broke.' };

test('the same model is never pulled twice at once to a node; whoever asks gets the task there is', async () => {
  const { tasks, attempts } = stage();
  const first = tasks.start(order('a', 'm'));
  assert.deepEqual([first.isNew, first.task.state], [true, 'running']);
  const second = tasks.start(order('a', 'm:latest'));
  assert.deepEqual([second.isNew, second.task.id], [false, first.task.id]);
  assert.equal(tasks.start(order('a', 'm', { kind: 'load' })).isNew, true);
  assert.equal(tasks.start(order('b', 'm')).isNew, true);
  assert.equal(attempts.length, 3);
  await attempts[0]?.end({ kind: 'done' });
  assert.equal(tasks.start(order('a', 'm')).isNew, true);
});

test('pulls are one at a time on a node and so many over all, the oldest first', async () => {
  const { tasks, attempts, states } = stage();
  tasks.start(order('a', 'm1'));
  tasks.start(order('a', 'm2'));
  tasks.start(order('b'));
  tasks.start(order('c'));
  assert.deepEqual(states(), ['a running', 'a queued', 'b running', 'c queued']);
  assert.equal(tasks.all()[3]?.detail, 'It waits for its turn.');
  await attempts[0]?.end({ kind: 'done' });
  assert.deepEqual(states(), ['a done', 'a running', 'b running', 'c queued']);
  await attempts[1]?.end({ kind: 'failed', code: 'no', detail: 'No.' });
  assert.deepEqual(states(), ['a done', 'a running', 'b failed', 'c running']);
});

test('a pull that broke is tried again, later each time, and given up after eight tries that brought nothing', async () => {
  const { tasks, attempts, clock } = stage();
  const { task } = tasks.start(order('a'));
  const pauses: number[] = [];
  for (let tries = 1; ; tries += 1) {
    await attempts[tries - 1]?.end(again);
    const now = tasks.byId(task.id);
    if (now?.state !== 'queued') break;
    let pauseMs = 0;
    for (; attempts.length === tries; pauseMs += 500) clock.advance(500);
    pauses.push(pauseMs);
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
  const { state, code, detail } = tasks.byId(task.id) ?? {};
  assert.deepEqual([state, code, detail], ['failed', 'pull_failed', 'It broke. It was tried 8 times.']);
});

test('a try that brought something counts as the first one again', async () => {
  const { tasks, attempts, clock } = stage();
  const { task } = tasks.start(order('a'));
  for (let tries = 1; tries <= 30; tries += 1) {
    attempts[tries - 1]?.report(tries);
    await attempts[tries - 1]?.end(again);
    assert.equal(tasks.byId(task.id)?.nextAttemptAt, Math.round(clock.wall() + 1000));
    clock.advance(1000);
  }
  assert.equal(attempts.length, 31);
});

test('a cancelled task ends at once, its exchange is called off, and what it may still say is nothing to it', async () => {
  const { tasks, attempts, saved } = stage();
  const { task } = tasks.start(order('a'));
  const { task: next } = tasks.start(order('a', 'other'));
  assert.equal(tasks.cancel(task.id)?.state, 'cancelled');
  assert.equal(attempts[0]?.signal.aborted, true);
  attempts[0]?.report(50);
  await attempts[0]?.end({ kind: 'done' });
  assert.deepEqual([tasks.byId(task.id)?.state, saved.get(task.id)?.state], ['cancelled', 'cancelled']);
  assert.equal(tasks.byId(next.id)?.state, 'running');
  assert.equal(tasks.cancel(task.id)?.state, 'cancelled');
  assert.equal(tasks.cancel('nobody'), null);
});

test('a task waits while its node is away without spending tries, and fails when its node is removed', async () => {
  const { tasks, attempts, nodes, clock } = stage();
  nodes.set('a', 'away');
  const { task } = tasks.start(order('a'));
  assert.match(tasks.byId(task.id)?.detail ?? '', /waits for its node/);
  clock.advance(86_400_000);
  assert.equal(attempts.length, 0);
  nodes.set('a', 'up');
  tasks.wake();
  assert.deepEqual([attempts.length, tasks.byId(task.id)?.detail], [1, null]);
  nodes.set('a', 'gone');
  tasks.wake();
  const { state, code } = tasks.byId(task.id) ?? {};
  assert.deepEqual([state, code, attempts[0]?.signal.aborted], ['failed', 'node_gone', true]);
});

test('what runs on a node that moved begins anew there', async () => {
  const { tasks, attempts, nodes } = stage();
  const { task } = tasks.start(order('a'));
  tasks.start(order('b'));
  nodes.set('a', 'away');
  tasks.renew('a');
  assert.deepEqual([attempts[0]?.signal.aborted, attempts[1]?.signal.aborted], [true, false]);
  await attempts[0]?.end({ kind: 'done' });
  assert.equal(tasks.byId(task.id)?.state, 'queued');
  nodes.set('a', 'up');
  tasks.wake();
  assert.deepEqual([attempts.length, tasks.byId(task.id)?.state], [3, 'running']);
});

test('progress is shown with its pace, told no oftener than five times a second, and kept now and then', () => {
  const { tasks, attempts, clock, saved } = stage();
  const { task } = tasks.start(order('a'));
  let told = 0;
  tasks.follow(() => (told += 1));
  for (let at = 0; at <= 60; at += 1) {
    attempts[0]?.report(at);
    clock.advance(100);
  }
  const { completedBytes, totalBytes, bytesPerSecond, detail } = tasks.byId(task.id) ?? {};
  assert.deepEqual([completedBytes, totalBytes, bytesPerSecond, detail], [60, 100, 10, 'pulling']);
  assert.ok(told >= 30 && told <= 32, `${told}`);
  assert.equal(saved.get(task.id)?.completedBytes, 50);
});

test('after a restart pulls go on, what cannot go on says so, and the history is there', async () => {
  const before = stage();
  const { task: done } = before.tasks.start(order('a', 'done'));
  await before.attempts[0]?.end({ kind: 'done' });
  before.tasks.start(order('a', 'pull'));
  before.attempts[1]?.report(40);
  before.tasks.start(order('a', 'load', { kind: 'load' }));
  before.tasks.start(order('a', 'waiting'));
  before.tasks.stop();
  assert.equal(before.attempts[1]?.signal.aborted, true);
  const after = stage({ stored: [...before.saved.values()] });
  const shown = after.tasks.all().map(({ model, state, completedBytes, interruptions }) => {
    return [model, state, completedBytes, interruptions];
  });
  assert.deepEqual(shown, [
    ['done', 'done', null, 0],
    ['pull', 'queued', 40, 1],
    ['load', 'interrupted', null, 1],
    ['waiting', 'queued', null, 0],
  ]);
  after.tasks.wake();
  assert.deepEqual(
    after.attempts.map(({ task }) => task.model),
    ['pull'],
  );
  assert.equal(after.tasks.byId(done.id)?.state, 'done');
});

test('a pull in whose middle the router stops again and again is given up', () => {
  let stored: readonly Task[] = [];
  let starts = 0;
  for (; starts < 100; starts += 1) {
    const { tasks } = stage({ stored });
    if (starts === 0) tasks.start(order('a'));
    tasks.wake();
    stored = tasks.all();
    tasks.stop();
    if (stored[0]?.state === 'interrupted') break;
  }
  assert.equal(starts, 21);
});

test('the history keeps a thousand tasks that are over', async () => {
  const { tasks, saved, attempts } = stage();
  for (let at = 0; at < 1010; at += 1) {
    tasks.start(order('a', `m${at}`));
    await attempts[at]?.end({ kind: 'done' });
  }
  assert.deepEqual([tasks.all().length, saved.size], [1000, 1000]);
  assert.equal(tasks.all()[0]?.model, 'm10');
});

function failing(): never {
  throw new Error('disk full');
}

test('a task that cannot be kept is not begun', () => {
  const { tasks, attempts } = stage({ keep: failing });
  assert.throws(() => tasks.start(order('a')), /disk full/);
  assert.deepEqual([tasks.all().length, attempts.length], [0, 0]);
});
