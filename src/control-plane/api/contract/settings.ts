import { z } from 'zod';
import { auditFilter, settingsInput } from '../input.ts';
import { type Endpoints, epochMs } from './endpoint.ts';

const source = z
  .object({
    path: z.string().meta({ description: 'as in the configuration file, such as queue.maxWaiters' }),
    value: z.string().meta({ description: 'for people; secrets masked' }),
    source: z.string().meta({ description: 'default, flag, api, file:LINE or env:VARIABLE' }),
    afterRestart: z.string().nullable().meta({ description: 'what it will be after a restart, if something else' }),
  })
  .meta({ id: 'SettingSource' });

const change = z
  .object({
    at: epochMs,
    by: z.enum(['file', 'signal', 'api']).meta({ description: 'a changed file, SIGHUP, or PUT /api/settings' }),
    problems: z.array(z.string()).meta({ description: 'where there are any, nothing was changed' }),
    warnings: z.array(z.string()),
    changed: z.array(z.string()).meta({ description: 'paths of what is another now' }),
  })
  .meta({ id: 'SettingsChange' });

const settings = z
  .object({
    file: z.string().nullable().meta({ description: 'the configuration file in use' }),
    sources: z.array(source),
    waitsForRestart: z.array(z.string()),
    lastChange: change.nullable().meta({ description: 'how the last change since the start went' }),
  })
  .catchall(z.unknown())
  .meta({ id: 'Settings' });

const auditRow = z
  .object({
    id: z.int(),
    at: epochMs,
    action: z.string().meta({ description: 'such as node.create or settings.change' }),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditRow' });

export const settingsEndpoints = {
  'GET /api/settings': {
    tag: 'router',
    summary: 'The settings in force, and where each came from',
    description:
      'Besides what is described: the settings as in docs/configuration.md, times in milliseconds, secrets masked.',
    status: [200],
    answer: settings,
  },
  'PUT /api/settings': {
    tag: 'router',
    summary: 'Change settings while the router runs',
    description:
      'What is not named stays. What is set here goes before flags, variables and the file, over restarts too, until it is taken back with null.',
    body: settingsInput,
    status: [200],
    answer: settings,
    refusals: [409, 503],
  },
  'GET /api/audit': {
    tag: 'router',
    summary: 'What was changed, newest first',
    query: auditFilter,
    status: [200],
    answer: z.object({ data: z.array(auditRow), nextCursor: z.string().nullable() }),
  },
} as const satisfies Endpoints;
