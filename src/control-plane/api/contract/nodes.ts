import { z } from 'zod';
import { engineKinds, nodeStates, providerNames } from '../../../fleet/glossary.ts';
import { nodeInput, nodeLogFilter } from '../input.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';
import { modelFacts } from './models.ts';

const masked = z.literal('***').nullable().meta({ description: '"***" where there is one' });
const count = z.int().min(0);

const gpu = z.object({
  name: z.string(),
  use: z.number().nullable().meta({ description: '0 to 1' }),
  memoryBytes: z.number().nullable(),
  memoryUsedBytes: z.number().nullable(),
  temperatureCelsius: z.number().nullable(),
  powerWatts: z.number().nullable(),
});

const agent = z
  .object({
    tokenId: z.string(),
    lastBeatAt: epochMs.nullable().meta({ description: 'null: not since the router started' }),
    silent: z.boolean().meta({ description: 'for so long that the node counts as gone' }),
    tunnel: z.enum(['none', 'open', 'closed']),
    agentVersion: z.string().nullable(),
    machine: z
      .object({
        hostname: z.string(),
        system: z.string(),
        cpus: z.number(),
        cpuUse: z.number().nullable().meta({ description: '0 to 1' }),
        memoryBytes: z.number(),
        memoryUsedBytes: z.number(),
        gpus: z.array(gpu),
      })
      .nullable(),
    engine: z
      .object({ isReachable: z.boolean(), kind: z.string().nullable(), version: z.string().nullable() })
      .nullable()
      .meta({ description: 'as the agent sees it' }),
  })
  .meta({ id: 'Agent' });

const node = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    engine: z.enum(engineKinds).nullable().meta({ description: 'null until it was recognised' }),
    engineSetting: z.enum(['auto', ...engineKinds]),
    state: z.enum(nodeStates),
    detail: z.string().nullable().meta({ description: 'why it is in that state; null while all is well' }),
    draining: z.boolean().meta({ description: 'takes no new requests' }),
    managedBy: z.enum(['config', 'api', 'discovery', 'agent']),
    foundBy: z.string().nullable().meta({ description: 'of a discovered node: ports, file or dns NAME' }),
    provider: z
      .enum(providerNames)
      .nullable()
      .meta({ description: 'of a cloud provider: it serves every model whose name begins with this and a colon' }),
    maxConcurrent: z.int().nullable().meta({ description: 'as configured' }),
    slots: z
      .int()
      .min(1)
      .meta({ description: 'in force: of a node whose number was guessed, as many as were learned' }),
    slotsFrom: z
      .enum(['configuration', 'engine', 'guess'])
      .meta({ description: 'who said how many; a guess is by the kind of engine, and the start of learning' }),
    taken: count.nullable().meta({ description: 'slots in use; null where the data plane did not answer' }),
    breaker: z.enum(['closed', 'open', 'half-open']).nullable(),
    cooling: z.boolean().nullable().meta({ description: 'it asked for a pause' }),
    sockets: z.object({ idle: count, busy: count, opened: count }).nullable(),
    models: z.array(z.string()),
    load: z.object({
      running: z.number().nullable(),
      waiting: z.number().nullable(),
      cacheUse: z.number().nullable().meta({ description: '0 to 1' }),
    }),
    version: z.string().nullable(),
    lastProbeAt: epochMs.nullable(),
    apiKey: masked,
    headers: z.record(z.string(), z.literal('***')),
    tags: z.array(z.string()),
    memoryBytes: z.number().nullable(),
    logsUrl: z.string().nullable().meta({ description: 'where its log is read' }),
    agent: agent.nullable().meta({ description: 'what registered it; null: it was registered without one' }),
    modelNames: z.record(z.string(), z.string()).nullable(),
    timeouts: z
      .object({
        connectMs: z.number().optional(),
        firstByteMs: z.number().optional(),
        betweenBytesMs: z.number().optional(),
      })
      .nullable(),
    tls: z
      .object({ ca: z.string().nullable(), cert: z.string().nullable(), key: masked, verify: z.boolean() })
      .nullable(),
  })
  .meta({ id: 'Node' });

export { node as nodeAnswer };

const nodeModel = z
  .object({
    model: z.string().nullable().meta({ description: 'the name clients use; null: it is there and not offered' }),
    slots: z.int().nullable(),
    ...modelFacts,
  })
  .meta({ id: 'NodeModel' });

const params = { id: "a node's id or name" };
const wanted = nodeInput.meta({ id: 'NodeInput' });

export const nodeEndpoints = {
  'GET /api/nodes': { tag: 'nodes', summary: 'List the nodes', status: [200], answer: listOf(node) },
  'POST /api/nodes': {
    tag: 'nodes',
    summary: 'Register a node',
    description: 'Answered after its first probe, or after 5 s. A node that cannot be reached is registered too.',
    body: wanted,
    status: [201],
    answer: node,
    refusals: [409, 413, 503],
  },
  'GET /api/nodes/:id': {
    tag: 'nodes',
    summary: 'Show a node',
    params,
    status: [200],
    answer: node,
    refusals: [404],
  },
  'PUT /api/nodes/:id': {
    tag: 'nodes',
    summary: 'Replace the settings of a node',
    description: 'A masked secret that is sent back as "***" stays as it is.',
    params,
    body: wanted,
    status: [200],
    answer: node,
    refusals: [404, 409, 413, 503],
  },
  'DELETE /api/nodes/:id': {
    tag: 'nodes',
    summary: 'Remove a node',
    params,
    status: [204],
    answer: null,
    refusals: [404, 409, 503],
  },
  'POST /api/nodes/:id/drain': {
    tag: 'nodes',
    summary: 'Give a node no new requests',
    params,
    status: [200],
    answer: node,
    refusals: [404, 503],
  },
  'POST /api/nodes/:id/resume': {
    tag: 'nodes',
    summary: 'Give a drained node requests again',
    params,
    status: [200],
    answer: node,
    refusals: [404, 503],
  },
  'POST /api/nodes/:id/probe': {
    tag: 'nodes',
    summary: 'Probe a node now',
    params,
    status: [200],
    answer: node,
    refusals: [404],
  },
  'GET /api/nodes/:id/models': {
    tag: 'nodes',
    summary: 'List the models of a node, offered or not',
    params,
    status: [200],
    answer: listOf(nodeModel),
    refusals: [404],
  },
  'GET /api/nodes/:id/logs': {
    tag: 'nodes',
    summary: "The last lines of a node's log, oldest first",
    description: 'Read from where its logsUrl says, and scrubbed of secrets.',
    params,
    query: nodeLogFilter,
    status: [200],
    answer: listOf(z.string()).extend({ truncated: z.boolean().meta({ description: 'there are older lines' }) }),
    refusals: [404, 409, 502],
  },
} as const satisfies Endpoints;
