import { z } from 'zod';
import { tokenInput } from '../input.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';

const token = z
  .object({
    id: z.string(),
    label: z.string(),
    scope: z.literal('register').meta({ description: 'joining the fleet as an agent, and nothing else' }),
    createdAt: epochMs,
    expiresAt: epochMs.nullable().meta({ description: 'epoch milliseconds; null: never' }),
    maxNodes: z.int().nullable().meta({ description: 'how many nodes may belong to it; null: any number' }),
    needsApproval: z.boolean().meta({ description: 'nodes that join with it take no requests until they are resumed' }),
    nodes: z.array(z.string()).meta({ description: 'names of the nodes that joined with it' }),
  })
  .meta({ id: 'Token' });

export const tokenEndpoints = {
  'GET /api/tokens': {
    tag: 'tokens',
    summary: 'List the registration tokens',
    status: [200],
    answer: listOf(token),
  },
  'POST /api/tokens': {
    tag: 'tokens',
    summary: 'Make a registration token for agents',
    description: 'The token itself is in this answer and nowhere else.',
    body: tokenInput.meta({ id: 'TokenInput' }),
    status: [201],
    answer: token.extend({ token: z.string() }).meta({ id: 'NewToken' }),
    refusals: [413, 503],
  },
  'DELETE /api/tokens/:id': {
    tag: 'tokens',
    summary: 'Revoke a registration token',
    description: 'Its agents are cut off: their nodes are offline and their tunnels closed once the 204 comes.',
    params: { id: "a token's id" },
    status: [204],
    answer: null,
    refusals: [404, 503],
  },
} as const satisfies Endpoints;
