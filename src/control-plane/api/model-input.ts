import { z } from 'zod';
import { taskKinds, taskStates } from '../task.ts';
import { wholeText } from './input.ts';

// What administrators may send about models and tasks. Loaded with the first call that needs it, as input.ts is.

const model = z
  .string('must be the name of a model')
  .regex(/^[^\s\p{C}]{1,300}$/u, 'must be the name of a model, without spaces')
  .meta({ description: "as the engine's own library calls it, or as the node offers it" });
const words = z.array(z.string().min(1, 'must not be empty')).min(1, 'must not be empty');

export const pullInput = z.strictObject({ model });

export const loadInput = z.strictObject({
  model,
  keepAlive: z
    .string()
    .regex(/^(?:pinned|\d+(?:\.\d+)?[smh])$/, 'must be "pinned" or a duration like "30m"')
    .meta({ description: '"pinned": until it is unloaded. Without it, as the engine usually does.' })
    .nullish(),
});

export const unloadInput = z.strictObject({ model });

export const distributionInput = z.strictObject({
  model,
  nodes: words.meta({ description: 'names or ids' }).nullish(),
  tags: words.meta({ description: 'nodes with one of these' }).nullish(),
  where: z.enum(['all', 'fits']).meta({ description: 'fits: nodes whose memory is known to suffice' }).nullish(),
  sizeBytes: z
    .int()
    .min(1)
    .meta({ description: 'of the model, for where: fits; without it, as nodes that have it list it' })
    .nullish(),
});

export const taskFilter = z.strictObject({
  state: z
    .enum([...taskStates, 'open'])
    .meta({ description: 'open: queued or running' })
    .optional(),
  kind: z.enum(taskKinds).optional(),
  node: z.string().meta({ description: "a node's id or name" }).optional(),
  model: z.string().optional(),
  distribution: z.string().meta({ description: 'the tasks of that distribution' }).optional(),
  limit: wholeText(1000).default(100),
});

export const catalogueSearch = z.strictObject({
  q: z.string('must be what to search for').trim().min(1, 'must not be empty').max(200),
  format: z.enum(['any', 'gguf']).meta({ description: 'gguf: only what Ollama and llama.cpp can run' }).default('any'),
  limit: wholeText(100).default(20),
});

export const taskFollowing = z.strictObject({
  follow: z
    .enum(['1', '0'])
    .meta({ description: '1: the task now and as it changes until it is over, as server-sent events' })
    .optional(),
});
