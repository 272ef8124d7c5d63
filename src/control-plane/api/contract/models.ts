import { z } from 'zod';
import { nodeStates } from '../../../fleet/glossary.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';

const model = z
  .object({
    name: z.string(),
    ready: z.boolean().meta({ description: 'some node can serve it now' }),
    firstSeenAt: epochMs.nullable(),
    nodes: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        state: z.enum(nodeStates),
        draining: z.boolean(),
        upstream: z.string().meta({ description: "the engine's own name" }),
        ready: z.boolean(),
        sizeBytes: z.number().nullable(),
        contextTokens: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'Model' });

export const modelEndpoints = {
  'GET /api/models': {
    tag: 'models',
    summary: 'List the models and which node offers each',
    status: [200],
    answer: listOf(model),
  },
} as const satisfies Endpoints;
