import { z } from 'zod';
import { localEngineKinds } from '../../fleet/glossary.ts';
import type { AgentBeat, AgentRegistration } from '../../fleet/agent-words.ts';

// What agents may send. Nothing of it is trusted: lengths and counts are bounded, since it is kept in memory and shown to
// administrators. Unknown fields are ignored: agent and router may be of different versions. Loaded with the first agent's call,
// because zod is a sixth of an idle control plane's memory.

const MOST_GPUS = 64;
const MOST_LINES = 2000;
const LONGEST_LINE = 8192;

const word = z.string().max(256);
const share = z.number().min(0).max(1).nullable().catch(null);
const amount = z.number().min(0).nullable().catch(null);

const registration = z.object({
  name: z
    .string()
    .regex(/^[^\s/\p{C}]{1,64}$/u, 'must be 1 to 64 printable characters without spaces and slashes; give --name'),
  url: z.string().min(1).max(2048),
  viaTunnel: z.boolean().default(false),
  engine: z.enum(['auto', ...localEngineKinds]).default('auto'),
  maxConcurrent: z.int().min(1).max(100_000).optional(),
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'must be one word')
    .optional(),
  tags: z
    .array(z.string().regex(/^[\w.:=-]{1,64}$/, 'must be 1 to 64 letters, digits and signs of ". : = - _"'))
    .max(64)
    .optional(),
  agentVersion: word.default('unknown'),
});

const gpu = z.object({
  name: word,
  use: share,
  memoryBytes: amount,
  memoryUsedBytes: amount,
  temperatureCelsius: z.number().nullable().catch(null),
  powerWatts: amount,
});

const beat = z.object({
  agentVersion: word.default('unknown'),
  machine: z.object({
    hostname: word,
    system: word,
    cpus: z.int().min(0).max(100_000),
    cpuUse: share,
    memoryBytes: z.number().min(0),
    memoryUsedBytes: z.number().min(0),
    gpus: z.array(gpu).max(MOST_GPUS),
  }),
  engine: z.object({ isReachable: z.boolean(), kind: word.nullable(), version: word.nullable() }),
  log: z
    .array(z.string().transform((line) => line.slice(0, LONGEST_LINE)))
    .max(MOST_LINES)
    .nullable()
    .default(null),
});

export type Read<T> =
  | { readonly kind: 'good'; readonly value: T }
  /** `problem` names every wrong field. */
  | { readonly kind: 'bad'; readonly problem: string };

export function readRegistration(body: unknown): Read<AgentRegistration> {
  const result = registration.safeParse(body);
  if (!result.success) return { kind: 'bad', problem: problemOf(result.error) };
  const { maxConcurrent, apiKey, tags, ...rest } = result.data;
  const value = {
    ...rest,
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tags === undefined ? {} : { tags }),
  };
  return { kind: 'good', value };
}

export function readBeat(body: unknown): Read<AgentBeat> {
  const result = beat.safeParse(body);
  return result.success ? { kind: 'good', value: result.data } : { kind: 'bad', problem: problemOf(result.error) };
}

function problemOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');
}
