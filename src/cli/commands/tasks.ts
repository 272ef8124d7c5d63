import { type Command, Option } from 'commander';
import { taskKinds, taskStates } from '../../control-plane/task.ts';
import { bytes, duration, time } from '../output/figures.ts';
import type { Task } from '../output/progress.ts';
import { listing, table } from '../output/table.ts';
import { adminAction, type Called, examples, group, type Host, whole } from './admin-command.ts';
import { followTasks, reasons, taskColumns } from './waiting.ts';

const states = [...taskStates, 'open'] as const;

/** `weir tasks …`: what engines were told to do with models. */
export function addTaskCommands(program: Command, host: Host): void {
  const tasks = group(program, 'tasks', 'pulls and loads of models: under way and past');
  const list = tasks
    .command('list')
    .description('list tasks, newest first')
    .addOption(new Option('--state <state>', 'in this state; open: queued or running').choices([...states]))
    .addOption(new Option('--kind <kind>', 'of this kind').choices([...taskKinds]))
    .option('--node <node>', 'on this node, by its name or id')
    .option('--model <name>', 'of this model')
    .option('--limit <count>', 'at most so many, up to 1000 (default: 100)', whole)
    .addHelpText('after', examples('weir tasks list --state open', 'weir tasks list --node gpu-1 --json'));
  adminAction(list, host, listTasks);

  const onTask = (name: string, about: string, act: (called: Called, id: string) => Promise<void>): void => {
    const command = tasks.command(name).argument('<id>', 'of the task').description(about);
    adminAction(command, host, (called) => act(called, called.words[0] ?? ''));
  };
  onTask('show', 'show a task', async ({ client, print }, id) => {
    const task = await client.call('GET /api/tasks/:id', { params: { id } });
    print(task, () => details(task));
  });
  onTask('wait', 'wait until a task is over; fails if it fails', async (called, id) => {
    const look = async (): Promise<readonly Task[]> => [
      await called.client.call('GET /api/tasks/:id', { params: { id } }),
    ];
    await followTasks(called, await look(), look);
  });
  onTask('cancel', 'cancel a task', async ({ client, print }, id) => {
    const task = await client.call('DELETE /api/tasks/:id', { params: { id } });
    print(task, () => details(task));
  });
}

async function listTasks({ client, options, print }: Called): Promise<void> {
  const list = await client.call('GET /api/tasks', {
    query: {
      state: states.find((state) => state === options.text('state')),
      kind: taskKinds.find((kind) => kind === options.text('kind')),
      node: options.text('node') ?? undefined,
      model: options.text('model') ?? undefined,
      limit: options.number('limit')?.toString(),
    },
  });
  print(list, () => table(list.data, taskColumns, 'No task fits.') + reasons(list.data));
}

function details(task: Task): string {
  return listing([
    ['id', task.id],
    ['task', `${task.kind} ${task.model}`],
    ['node', task.nodeName],
    ['state', task.state],
    ['detail', task.detail],
    ['done', task.totalBytes === null ? null : `${bytes(task.completedBytes ?? 0)} of ${bytes(task.totalBytes)}`],
    ['attempts', task.attempts],
    ['created (UTC)', time(task.createdAt)],
    ['started', task.startedAt && time(task.startedAt)],
    ['ended', task.endedAt && time(task.endedAt)],
    ['took', task.startedAt && task.endedAt ? duration(task.endedAt - task.startedAt) : null],
  ]);
}
