import { z } from 'zod';
import { priorities } from '../../../fleet/glossary.ts';
import { keyInput, keyRemoval } from '../input.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';

const key = z
  .object({
    id: z.string(),
    label: z.string(),
    managedBy: z.enum(['config', 'api']),
    createdAt: epochMs,
    expiresAt: epochMs.nullable().meta({ description: 'epoch milliseconds; null: never' }),
    models: z.array(z.string()).nullable().meta({ description: 'null: all' }),
    weight: z.number(),
    maxConcurrent: z.int().nullable(),
    ratePerMinute: z.number().nullable(),
    maxPriority: z.enum(priorities),
    maxDeadlineMs: z.number().nullable(),
    mayManage: z.boolean().meta({ description: "Ollama's commands that change a node are forwarded for it" }),
    resume: z.boolean().meta({ description: 'false: a broken stream of its is never taken up at another node' }),
  })
  .meta({ id: 'Key' });

export const keyEndpoints = {
  'GET /api/keys': { tag: 'keys', summary: 'List the client keys', status: [200], answer: listOf(key) },
  'POST /api/keys': {
    tag: 'keys',
    summary: 'Make a client key',
    description: 'The key itself is in this answer and nowhere else.',
    body: keyInput.meta({ id: 'KeyInput' }),
    status: [201],
    answer: key.extend({ key: z.string() }).meta({ id: 'NewKey' }),
    refusals: [413, 503],
  },
  'DELETE /api/keys/:id': {
    tag: 'keys',
    summary: 'Revoke a client key',
    description:
      'New requests and waiters are refused once the 204 comes. Running answers finish unless abort is true.',
    params: { id: "a key's id" },
    query: keyRemoval,
    status: [204],
    answer: null,
    refusals: [404, 409, 503],
  },
} as const satisfies Endpoints;
