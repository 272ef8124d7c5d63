import { z } from 'zod';
import { logFilter } from '../input.ts';
import { type Endpoints, epochMs, listOf } from './endpoint.ts';
import { nodeAnswer } from './nodes.ts';

const count = z.int().min(0);

const gauges = z
  .object({
    openLeases: count.meta({ description: 'slots in use' }),
    waiters: count,
    waitingBytes: count,
    openRequests: count,
    draining: z.boolean(),
    settlementsDropped: count,
    retryBudget: z.number(),
    nodes: z.array(
      z.object({
        index: count,
        generation: count,
        slots: count,
        taken: count,
        breaker: z.enum(['closed', 'open', 'half-open']),
        cooling: z.boolean(),
        socketsIdle: count,
        socketsBusy: count,
        socketsOpened: count,
      }),
    ),
    models: z.array(z.object({ model: z.string(), waiters: count })),
  })
  .meta({ id: 'Gauges' });

const stats = z
  .object({
    startedAt: epochMs,
    uptimeMs: z.number().min(0),
    gauges: gauges.nullable().meta({ description: 'null where the data plane did not answer' }),
    totals: z
      .object({
        requests: count,
        byOutcome: z.record(z.string(), count),
        promptTokens: count,
        completionTokens: count,
      })
      .meta({ description: 'since the control plane started' }),
    nodes: z.array(nodeAnswer),
  })
  .meta({ id: 'Stats' });

const logLine = z.looseObject({ level: z.string(), time: epochMs, message: z.string() }).meta({ id: 'LogLine' });

export const routerStateEndpoints = {
  'GET /api/stats': { tag: 'router', summary: 'What the router does now', status: [200], answer: stats },
  'GET /api/logs': {
    tag: 'router',
    summary: "The last lines of the router's log, oldest first",
    description: 'With follow=1 the answer is text/event-stream, one line an event, and ends when its client leaves.',
    query: logFilter,
    status: [200],
    answer: listOf(logLine),
    event: logLine,
    refusals: [429],
  },
  'GET /metrics': {
    tag: 'router',
    summary: 'Metrics for Prometheus',
    status: [200],
    answer: z.string(),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  },
  'GET /api/openapi.json': {
    tag: 'router',
    summary: 'This description',
    status: [200],
    answer: z.record(z.string(), z.unknown()).meta({ id: 'OpenApi' }),
  },
} as const satisfies Endpoints;
