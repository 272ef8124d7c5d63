import { randomUUID } from 'node:crypto';
import { canDo, isSameModel } from '../model-tasks.ts';
import { chooseNodes } from '../models/distribution.ts';
import type { RegisteredNode } from '../nodes/registered-node.ts';
import type { Task, TaskKind, TaskOrder } from '../task.ts';
import { type AdminState, inForce, kept } from './admin-state.ts';
import { ApiError, type Call, notFound, type Reply, type Route } from './call.ts';
import { findNode } from './find-node.ts';

// What is done with models: pulled onto a node, distributed to several, loaded, unloaded. Each is a task, answered at once with 202,
// or with 200 where the very same is under way and this is it.

export function modelTaskRoutes(state: AdminState): readonly Route[] {
  const { fleet, modelTasks } = state;
  const { tasks } = modelTasks;

  const begin = async (
    node: RegisteredNode,
    kind: TaskKind,
    model: string,
    keepAlive: string | null,
  ): Promise<Reply> => {
    refuseImpossible(node, kind);
    const { task, isNew } = kept(() => tasks.start(orderOf(node, { kind, model, keepAlive, distribution: null })));
    if (isNew) await inForce(state, `model.${kind}`, node.id, { name: node.settings.name, model, task: task.id });
    const headers = { location: `/api/tasks/${task.id}` };
    return { status: isNew ? 202 : 200, body: tasks.byId(task.id) ?? task, headers };
  };

  const pull = async (call: Call): Promise<Reply> => {
    const { check } = await import('./input.ts');
    const { pullInput } = await import('./model-input.ts');
    const { model } = check(pullInput, await call.body());
    return begin(findNode(fleet.registry, call), 'pull', model, null);
  };

  const load = async (call: Call): Promise<Reply> => {
    const { check } = await import('./input.ts');
    const { loadInput } = await import('./model-input.ts');
    const { model, keepAlive } = check(loadInput, await call.body());
    const node = findNode(fleet.registry, call);
    refuseAbsent(node, model);
    return begin(node, 'load', model, keepAlive ?? null);
  };

  const unload = async (call: Call): Promise<Reply> => {
    const { check } = await import('./input.ts');
    const { unloadInput } = await import('./model-input.ts');
    const { model } = check(unloadInput, await call.body());
    const node = findNode(fleet.registry, call);
    refuseAbsent(node, model);
    return begin(node, 'unload', model, null);
  };

  const distribute = async (call: Call): Promise<Reply> => {
    const { check } = await import('./input.ts');
    const { distributionInput } = await import('./model-input.ts');
    const { model, nodes = null, tags = null, where, sizeBytes } = check(distributionInput, await call.body());
    if (nodes === null && tags === null && !where) {
      throw new ApiError(400, 'invalid_request', 'Say to which nodes: nodes, tags, or where ("all" or "fits").');
    }
    const all = fleet.registry.all();
    const missing = nodes?.filter(
      (wanted) => !all.some(({ id, settings: { name } }) => wanted === id || wanted === name),
    );
    if (missing && missing.length > 0)
      throw notFound(`There is no node ${missing.join(', ')}. GET /api/nodes lists them.`);
    const fitsBytes = where === 'fits' ? (sizeBytes ?? knownSize(all, model)) : null;
    if (where === 'fits' && fitsBytes === null) {
      const message = `sizeBytes: no node lists ${model}, so its size is not known. Give it in bytes.`;
      throw new ApiError(400, 'invalid_request', message);
    }
    const candidates = all.map((node) => modelTasks.candidate(node, model));
    const { nodes: chosen, skipped } = chooseNodes(candidates, { nodes, tags, fitsBytes });
    if (chosen.length + skipped.length === 0)
      throw notFound('No node has one of these tags. GET /api/nodes shows them.');
    const distribution = randomUUID();
    const begun: Task[] = [];
    for (const { id } of chosen) {
      const node = fleet.registry.byId(id);
      if (node)
        begun.push(kept(() => tasks.start(orderOf(node, { kind: 'pull', model, keepAlive: null, distribution })).task));
    }
    await inForce(state, 'model.distribute', model, { distribution, nodes: chosen.map(({ name }) => name) });
    const data = begun.map((task) => tasks.byId(task.id) ?? task);
    return { status: data.length > 0 ? 202 : 200, body: { distribution, data, skipped } };
  };

  return [
    { method: 'POST', path: '/api/nodes/:id/models/pull', answer: pull },
    { method: 'POST', path: '/api/nodes/:id/models/load', answer: load },
    { method: 'POST', path: '/api/nodes/:id/models/unload', answer: unload },
    { method: 'POST', path: '/api/models/distribute', answer: distribute },
  ];
}

function orderOf(
  { id, settings }: RegisteredNode,
  rest: Pick<TaskOrder, 'kind' | 'model' | 'keepAlive' | 'distribution'>,
): TaskOrder {
  return { nodeId: id, nodeName: settings.name, origin: 'api', ...rest };
}

function refuseImpossible(node: RegisteredNode, kind: TaskKind): void {
  const can = canDo(node, kind);
  if (can === true) return;
  const { name } = node.settings;
  if (can !== null) {
    throw new ApiError(
      422,
      'not_supported',
      `The engine of ${name} (${node.engine ?? node.settings.engine}) cannot ${kind} models. ${can}`,
    );
  }
  throw new ApiError(
    409,
    'engine_unknown',
    `The engine of ${name} has not been recognised yet. Try again when the node is up, or set its engine.`,
  );
}

/** A node that is known not to have the model; one that never listed may have it. */
function refuseAbsent({ settings, listed, models }: RegisteredNode, model: string): void {
  if (listed === null) return;
  const names = listed.map(({ name }) => name).concat(models?.map((offer) => offer.model) ?? []);
  if (names.some((name) => isSameModel(name, model))) return;
  throw new ApiError(404, 'model_not_found', `The node ${settings.name} does not have ${model}. Pull it first.`);
}

function knownSize(nodes: readonly RegisteredNode[], model: string): number | null {
  const listed = nodes.flatMap((node) => node.listed ?? []).filter(({ name }) => isSameModel(name, model));
  return listed.find(({ sizeBytes }) => sizeBytes !== null)?.sizeBytes ?? null;
}
