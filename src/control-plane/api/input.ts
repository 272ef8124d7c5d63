import { z } from 'zod';
import { engineKinds, priorities } from '../../fleet/glossary.ts';
import { isOwnHeader } from '../../fleet/own-headers.ts';
import { outcomes } from '../../fleet/settlement.ts';
import { ApiError } from './call.ts';
import { readTime } from './time.ts';

// What administrators may send, field by field. The fields of a node are those of the configuration's `nodes` entries. What is not known
// is an error, in a query too: a misspelt filter would otherwise show everything as if it had matched. This file is imported when
// the first write or query comes: zod is a sixth of an idle control plane's memory, and most of them see neither.

const MAX_COUNT = 100_000;

const duration = z.string().transform((written, context) => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(written.trim()) ?? [];
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ''];
  if (unitMs === undefined || Number(amount) <= 0) {
    context.addIssue({ code: 'custom', message: 'must be a duration like "30s" or "500ms"' });
    return z.NEVER;
  }
  return Math.round(Number(amount) * unitMs);
});

const size = z.string().transform((written, context) => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(mb|gb|tb)$/i.exec(written.trim()) ?? [];
  const unitBytes = { mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }[unit?.toLowerCase() ?? ''];
  if (unitBytes === undefined || Number(amount) <= 0) {
    context.addIssue({ code: 'custom', message: 'must be a size like "24gb"' });
    return z.NEVER;
  }
  return Math.round(Number(amount) * unitBytes);
});

const tag = z.string().regex(/^[\w.:=-]{1,64}$/, 'must be 1 to 64 letters, digits and signs of ". : = - _"');
const headerValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be one line of text');
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name');
const headers = z.record(headerName, headerValue).superRefine((given, context) => {
  for (const name of Object.keys(given).filter(isOwnHeader)) {
    context.addIssue({ code: 'custom', path: [name], message: 'the router sets this header itself; remove it' });
  }
});
const pem = z.string().includes('-----BEGIN', { error: 'must be PEM text ("-----BEGIN …"), not a path' });
const modelName = z.string().min(1, 'must not be empty');
const whole = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(MAX_COUNT, `must be at most ${MAX_COUNT}`);

export const nodeInput = z.strictObject({
  name: z
    .string()
    .regex(/^[^\s/\p{C}]{1,64}$/u, 'must be 1 to 64 printable characters without spaces and slashes')
    .optional(),
  url: z.string('must be a URL like http://127.0.0.1:11434').min(1, 'must not be empty'),
  engine: z.enum(['auto', ...engineKinds]).default('auto'),
  maxConcurrent: whole.nullish(),
  apiKey: headerValue.min(1, 'must not be empty').nullish(),
  headers: headers.default({}),
  models: z.union([z.record(modelName, modelName), z.array(modelName)]).nullish(),
  timeouts: z
    .strictObject({ connect: duration.optional(), firstByte: duration.optional(), betweenBytes: duration.optional() })
    .nullish(),
  tls: z
    .strictObject({ ca: pem.optional(), cert: pem.optional(), key: pem.optional(), verify: z.boolean().optional() })
    .nullish(),
  tags: z.array(tag).nullish(),
  memory: size.nullish(),
  logsUrl: z.string().nullish(),
});

export type NodeInput = z.infer<typeof nodeInput>;

const time = z.union([z.int(), z.string()]).transform((written, context) => {
  const at = readTime(String(written));
  if (at !== null) return at;
  context.addIssue({ code: 'custom', message: 'must be a time like "2027-01-31T00:00:00Z" or epoch milliseconds' });
  return z.NEVER;
});

export const keyInput = z.strictObject({
  label: z.string().min(1, 'must not be empty').max(200),
  expiresAt: time.nullish(),
  models: z.array(modelName).nullish(),
  weight: z.number().positive('must be above 0').max(1000).default(1),
  maxConcurrent: whole.nullish(),
  ratePerMinute: z.number().positive('must be above 0').nullish(),
  maxPriority: z.enum(priorities).default('normal'),
  maxDeadline: duration.nullish(),
  mayManage: z.boolean().default(false),
  resume: z.boolean().default(true),
});

export const tokenInput = z.strictObject({
  label: z.string().min(1, 'must not be empty').max(200),
  expiresAt: time.nullish(),
  maxNodes: whole.nullish(),
  needsApproval: z.boolean().default(false),
});

/** A whole number in a query, from 1. */
export function wholeText(most: number) {
  const message = `must be a whole number from 1 to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= 1 && value <= most, message);
}

const PAGE = 50;
const LONGEST_PAGE = 500;

export const requestFilter = z.strictObject({
  model: z.string().optional(),
  outcome: z.enum(outcomes).optional(),
  status: wholeText(999).optional(),
  keyId: z.string().optional(),
  code: z.string().optional(),
  since: time.optional(),
  until: time.optional(),
  node: z.string().meta({ description: "a node's id or name, of any attempt" }).optional(),
  cursor: z.string().meta({ description: 'nextCursor of the page before' }).optional(),
  limit: wholeText(LONGEST_PAGE).default(PAGE),
});

export const auditFilter = z.strictObject({
  action: z.string().meta({ description: 'such as node.create' }).optional(),
  subject: z.string().meta({ description: "what was changed, such as a node's id" }).optional(),
  since: time.optional(),
  until: time.optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'must be the nextCursor of the page before')
    .meta({ description: 'nextCursor of the page before' })
    .transform(Number)
    .optional(),
  limit: wholeText(LONGEST_PAGE).default(PAGE),
});

/** Judged further where the settings are read. */
export const settingsInput = z.record(z.string(), z.unknown()).meta({
  description:
    'As in the configuration file, such as {"queue":{"maxWaiters":100},"log":{"level":"debug"}}. null takes back what was set here.',
});

const SHOWN_LINES = 100;
const MOST_LINES = 2000;

const tail = wholeText(MOST_LINES).default(SHOWN_LINES).meta({ description: 'how many lines, the last ones' });

export const nodeLogFilter = z.strictObject({ tail });

export const logFilter = z.strictObject({
  tail,
  level: z.enum(['debug', 'info', 'warn', 'error']).meta({ description: 'of this level and above' }).optional(),
  follow: z
    .enum(['1', '0'])
    .meta({ description: '1: those lines and then each that comes, as server-sent events' })
    .optional(),
});

export const keyRemoval = z.strictObject({
  abort: z.enum(['true', 'false']).meta({ description: 'true also ends what runs under the key' }).optional(),
});

/** Throws `ApiError` 400 `invalid_request` that names every wrong field. */
export function check<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new ApiError(400, 'invalid_request', problems.join('; '));
}

/** As `check`, of a query; names what there is where it has something else. */
export function checkQuery<T extends z.ZodObject>(schema: T, query: URLSearchParams): z.infer<T> {
  const known = Object.keys(schema.shape);
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ApiError(400, 'invalid_request', `${unknown}: unknown parameter. There is ${known.join(', ')}.`);
  }
  return check(schema, Object.fromEntries(query));
}
