import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import * as z from 'zod';
import { localEngineKinds } from '../../src/fleet/glossary.ts';
import type { EngineModel } from './engine/engine-model.ts';
import type { FleetModel, NodeModel, Trouble } from './fleet-model.ts';

// Reads a fleet file (docs/simulator.md describes its keys). Unknown keys are errors: a misspelt speed would otherwise
// simulate another fleet than the one meant.

const positive = z.number().positive();
const share = z.number().min(0).max(1);

const engineShape = z.strictObject({
  kind: z.enum(localEngineKinds),
  slots: z.int().positive(),
  stepMs: positive,
  perSequenceMs: z.number().min(0).default(0),
  perContextTokenMs: z.number().min(0).default(0),
  promptTokensPerSecond: positive,
  perPromptTokenSquaredMs: z.number().min(0).default(0),
  chunkTokens: z.int().positive().nullable().default(null),
  kvTokens: z.int().positive(),
  prefixCache: z.enum(['blocks', 'slots', 'none']).default('blocks'),
  maxWaiting: z.int().min(0).nullable().default(null),
  loadMs: z.number().min(0).default(0),
  maxResident: z.int().positive().default(1),
  cold: z.boolean().default(false),
});

const fileShape = z.strictObject({
  networkMs: z.number().min(0).default(0.5),
  engines: z.record(z.string(), engineShape),
  /** Model → share of the requests. */
  models: z.record(z.string(), positive).default({ chat: 1 }),
  nodes: z
    .array(
      z.strictObject({
        name: z.string(),
        engine: z.string(),
        count: z.int().positive().default(1),
        models: z.array(z.string()).optional(),
        declaredSlots: z.int().positive().optional(),
      }),
    )
    .min(1),
  troubles: z
    .array(
      z.strictObject({
        at: share,
        lasts: share,
        node: z.string(),
        kind: z.enum(['crash', 'freeze', 'slow']),
        factor: positive.default(1),
      }),
    )
    .default([]),
  bursts: z.array(z.strictObject({ at: share, lasts: share, times: positive })).default([]),
});

/** Throws an Error that says which key of the file is wrong. */
export async function readFleet(path: string): Promise<FleetModel> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`--fleet ${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  }
  return fleetOf(path, value);
}

/** The fleet that a parsed file describes. Throws like `readFleet`. */
export function fleetOf(path: string, value: unknown): FleetModel {
  const read = fileShape.safeParse(value);
  if (!read.success) {
    const lines = read.error.issues.map((issue) => `  ${issue.path.join('.') || '(file)'}: ${issue.message}`);
    throw new Error(`${path} is not a fleet:\n${lines.join('\n')}`);
  }
  const file = read.data;
  const models = Object.keys(file.models);
  const nodes = file.nodes.flatMap((entry): NodeModel[] => {
    const shape = file.engines[entry.engine];
    if (!shape) {
      const known = Object.keys(file.engines).join(', ');
      throw new Error(`${path}: node ${entry.name} names the engine ${entry.engine}; the file describes ${known}`);
    }
    const own = entry.models ?? models;
    const unknown = own.find((model) => !models.includes(model));
    if (unknown !== undefined)
      throw new Error(`${path}: node ${entry.name} serves ${unknown}, which models does not list`);
    const engine: EngineModel = { ...shape, maxWaiting: shape.maxWaiting ?? Infinity, models: own };
    return Array.from({ length: entry.count }, (_, at) => ({
      name: entry.count === 1 ? entry.name : `${entry.name}-${at + 1}`,
      engine,
      declaredSlots: entry.declaredSlots ?? null,
    }));
  });
  const troubles = file.troubles.map(({ node, ...trouble }): Trouble => {
    const index = nodes.findIndex(({ name }) => name === node);
    if (index < 0)
      throw new Error(
        `${path}: a trouble names the node ${node}; there are ${nodes.map(({ name }) => name).join(', ')}`,
      );
    return { ...trouble, node: index };
  });
  const mix = models.map((model) => ({ model, share: file.models[model] ?? 0 }));
  const name = (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/, '');
  return { name, networkMs: file.networkMs, models, mix, nodes, troubles, bursts: file.bursts };
}

/** A path, or the name of a fleet that comes with the simulator. */
export function fleetPath(written: string): string {
  if (existsSync(written)) return written;
  const own = fileURLToPath(new URL(`fleets/${written}.yaml`, import.meta.url));
  return existsSync(own) ? own : written;
}
