import { z } from 'zod';
import { taskKinds, taskOrigins, taskStates } from '../../task.ts';
import { distributionInput, loadInput, pullInput, taskFilter, taskFollowing, unloadInput } from '../model-input.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';

const bytes = z.number().min(0).nullable();

const task = z
  .object({
    id: z.string(),
    kind: z.enum(taskKinds),
    nodeId: z.string(),
    nodeName: z.string(),
    model: z.string(),
    keepAlive: z.string().nullable(),
    origin: z.enum(taskOrigins).meta({ description: 'rule: of the configuration’s distribution' }),
    distribution: z.string().nullable().meta({ description: 'shared by the tasks of one distribution' }),
    state: z.enum(taskStates).meta({ description: 'interrupted: the router stopped in its middle, see detail' }),
    detail: z.string().nullable().meta({ description: 'what it does, waits for, or failed of' }),
    code: z.string().nullable().meta({ description: 'of its failure' }),
    attempts: z.int().min(0),
    interruptions: z.int().min(0).meta({ description: 'how often the router stopped in its middle' }),
    completedBytes: bytes,
    totalBytes: bytes.meta({ description: 'grows while the engine learns what there is to pull' }),
    bytesPerSecond: bytes,
    createdAt: epochMs,
    startedAt: epochMs.nullable(),
    endedAt: epochMs.nullable(),
    nextAttemptAt: epochMs.nullable().meta({ description: 'while it waits to be tried again' }),
  })
  .meta({ id: 'Task' });

const skipped = z.object({
  id: z.string(),
  name: z.string(),
  code: z.enum(['present', 'not_supported', 'engine_unknown', 'does_not_fit', 'memory_unknown']),
  reason: z.string(),
});

const params = { id: "a node's id or name" };
const begun = {
  tag: 'models',
  params,
  status: [202, 200],
  answer: task,
  refusals: [404, 409, 413, 422, 503],
} as const;

export const taskEndpoints = {
  'POST /api/nodes/:id/models/pull': {
    ...begun,
    summary: 'Pull a model onto a node',
    description: '202 with the task, or 200 where the same is under way. 422 where its engine cannot.',
    body: pullInput.meta({ id: 'PullInput' }),
  },
  'POST /api/nodes/:id/models/load': {
    ...begun,
    summary: 'Load a model into the memory of a node, and pin it there if wanted',
    body: loadInput.meta({ id: 'LoadInput' }),
  },
  'POST /api/nodes/:id/models/unload': {
    ...begun,
    summary: 'Unload a model from the memory of a node',
    body: unloadInput.meta({ id: 'UnloadInput' }),
  },
  'POST /api/models/distribute': {
    tag: 'models',
    summary: 'Pull a model onto several nodes',
    description:
      'Named, by tag, or where it fits; what is said together narrows one another. 200 where nothing is to be done.',
    body: distributionInput.meta({ id: 'DistributionInput' }),
    status: [202, 200],
    answer: listOf(task).extend({ distribution: z.string(), skipped: z.array(skipped) }),
    refusals: [404, 413, 503],
  },
  'GET /api/tasks': {
    tag: 'tasks',
    summary: 'List tasks, newest first',
    query: taskFilter,
    status: [200],
    answer: listOf(task),
  },
  'GET /api/tasks/:id': {
    tag: 'tasks',
    summary: 'Show a task',
    description: 'With follow=1 the answer is text/event-stream, and ends with the task.',
    params: { id: "a task's id" },
    query: taskFollowing,
    status: [200],
    answer: task,
    event: task,
    refusals: [404],
  },
  'DELETE /api/tasks/:id': {
    tag: 'tasks',
    summary: 'Cancel a task',
    params: { id: "a task's id" },
    status: [200],
    answer: task,
    refusals: [404, 409],
  },
} as const satisfies Endpoints;
