import { isSameModel } from '../model-tasks.ts';
import { isOver, type Task } from '../task.ts';
import { type AdminState, inForce } from './admin-state.ts';
import { ApiError, type Call, notFound, param, type Reply, type Route } from './call.ts';

/** What engines were told to do with models: what is under way, and what was. */
export function taskRoutes(state: AdminState): readonly Route[] {
  const { tasks } = state.modelTasks;

  const find = (call: Call): Task => {
    const task = tasks.byId(param(call, 'id'));
    if (!task) throw notFound(`There is no task ${param(call, 'id')}. GET /api/tasks lists them.`);
    return task;
  };

  const list = async (call: Call): Promise<Reply> => {
    const { checkQuery } = await import('./input.ts');
    const { taskFilter } = await import('./model-input.ts');
    const { state: wanted, kind, node, model, distribution, limit } = checkQuery(taskFilter, call.query);
    const data = tasks
      .all()
      .filter(
        (task) =>
          (wanted === undefined || task.state === wanted || (wanted === 'open' && !isOver(task))) &&
          (kind === undefined || task.kind === kind) &&
          (node === undefined || task.nodeId === node || task.nodeName === node) &&
          (model === undefined || isSameModel(task.model, model)) &&
          (distribution === undefined || task.distribution === distribution),
      );
    return { status: 200, body: { data: data.toReversed().slice(0, limit) } };
  };

  const show = async (call: Call): Promise<Reply> => {
    const { checkQuery } = await import('./input.ts');
    const { taskFollowing } = await import('./model-input.ts');
    const { follow } = checkQuery(taskFollowing, call.query);
    const task = find(call);
    if (follow !== '1') return { status: 200, body: task };
    return {
      status: 200,
      body: null,
      events: (sink) => {
        const tell = (now: Task): void => {
          if (now.id !== task.id) return;
          sink.send(now);
          if (isOver(now)) sink.end();
        };
        const end = tasks.follow(tell);
        tell(tasks.byId(task.id) ?? task);
        return end;
      },
    };
  };

  const cancel = async (call: Call): Promise<Reply> => {
    const before = find(call);
    if (isOver(before)) {
      throw new ApiError(409, 'task_over', `The task is ${before.state} already; nothing is left to cancel.`);
    }
    const task = tasks.cancel(before.id) ?? before;
    await inForce(state, 'task.cancel', task.id, { kind: task.kind, node: task.nodeName, model: task.model });
    return { status: 200, body: task };
  };

  return [
    { method: 'GET', path: '/api/tasks', answer: list },
    { method: 'GET', path: '/api/tasks/:id', answer: show },
    { method: 'DELETE', path: '/api/tasks/:id', answer: cancel },
  ];
}
