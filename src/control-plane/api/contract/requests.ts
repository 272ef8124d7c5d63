import { z } from 'zod';
import { outcomes } from '../../../fleet/settlement.ts';
import { requestFilter } from '../input.ts';
import { type Endpoints, epochMs } from './endpoint.ts';

const ms = z.number().min(0);

const request = z
  .object({
    id: z.string(),
    clientRequestId: z.string().nullable(),
    traceparent: z.string().nullable(),
    arrivedAt: epochMs,
    dialect: z.enum(['openai', 'anthropic', 'ollama']),
    path: z.string(),
    model: z.string().nullable().meta({ description: 'as the client named it; perhaps an alias' }),
    servedModel: z.string().nullable().meta({ description: 'what answered; null where the request was not served' }),
    keyId: z.string().nullable(),
    caller: z.string().nullable().meta({ description: 'an HMAC of the address, where no key was used' }),
    stream: z.boolean(),
    outcome: z.enum(outcomes),
    status: z.int(),
    code: z.string().nullable().meta({ description: 'of the error, as in docs/errors.md' }),
    waitMs: ms.nullable().meta({ description: 'null where it never waited' }),
    firstByteMs: ms.nullable(),
    durationMs: ms,
    requestBytes: z.int(),
    responseBytes: z.int(),
    usage: z
      .object({
        promptTokens: z.number().nullable(),
        completionTokens: z.number().nullable(),
        cachedTokens: z.number().nullable(),
        estimated: z.boolean(),
      })
      .nullable(),
  })
  .meta({ id: 'Request' });

const attempt = z
  .object({
    nodeId: z.string(),
    nodeName: z.string(),
    startedAfterMs: ms,
    durationMs: ms,
    status: z.int().nullable(),
    end: z.string().meta({ description: 'how it ended, such as complete or overloaded' }),
    model: z.string().nullable().meta({ description: 'what the node was asked for' }),
  })
  .meta({ id: 'Attempt' });

export const requestEndpoints = {
  'GET /api/requests': {
    tag: 'requests',
    summary: 'List requests, newest first',
    query: requestFilter,
    status: [200],
    answer: z.object({
      data: z.array(request),
      nextCursor: z.string().nullable().meta({ description: 'the cursor of the next page; null at the end' }),
    }),
  },
  'GET /api/requests/:id': {
    tag: 'requests',
    summary: 'Show a request with its attempts',
    params: { id: "a request's id, as in x-request-id" },
    status: [200],
    answer: request.extend({ attempts: z.array(attempt) }).meta({ id: 'RequestDetail' }),
    refusals: [404],
  },
} as const satisfies Endpoints;
