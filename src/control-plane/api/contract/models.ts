import { z } from 'zod';
import { nodeStates } from '../../../fleet/glossary.ts';
import { catalogueSearch } from '../model-input.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';

/** What is known of a model on a node; null where its engine does not tell. */
export const modelFacts = {
  upstream: z.string().meta({ description: "the engine's own name" }),
  present: z
    .boolean()
    .nullable()
    .meta({ description: 'its engine lists it; null where it has not listed anything yet' }),
  loaded: z.boolean().nullable().meta({ description: 'in memory, not only on disk' }),
  ready: z.boolean().meta({ description: 'false while the engine loads it' }),
  sizeBytes: z.number().nullable(),
  quantization: z.string().nullable(),
  contextTokens: z.number().nullable(),
};

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
        ...modelFacts,
      }),
    ),
  })
  .meta({ id: 'Model' });

const found = z
  .object({
    id: z.string(),
    author: z.string().nullable(),
    downloads: z.number().nullable(),
    likes: z.number().nullable(),
    task: z.string().nullable(),
    library: z.string().nullable(),
    tags: z.array(z.string()),
    gated: z.boolean(),
    updatedAt: epochMs.nullable(),
    pullName: z.string().nullable().meta({ description: 'what to tell an Ollama to pull; null: it cannot run it' }),
  })
  .meta({ id: 'CatalogueModel' });

export const modelEndpoints = {
  'GET /api/models': {
    tag: 'models',
    summary: 'List the models and which node offers each',
    status: [200],
    answer: listOf(model),
  },
  'GET /api/models/catalogue': {
    tag: 'models',
    summary: 'Search the model hub',
    query: catalogueSearch,
    status: [200],
    answer: listOf(found).extend({
      fetchedAt: epochMs,
      stale: z.boolean().meta({ description: 'the hub cannot be asked now; this is its last answer' }),
    }),
    refusals: [502, 503],
  },
} as const satisfies Endpoints;
