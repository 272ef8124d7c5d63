import { canonicalModel } from '../../fleet/glossary.ts';
import type { NodeTimeouts } from '../../fleet/settings.ts';
import type { Problems } from '../problems.ts';
import { type InForce, lookUp } from '../resolve.ts';
import type { SourceFile } from '../sources/tree.ts';
import { duration, line } from '../values/kinds.ts';
import { entriesOf, type Fields } from './fields.ts';

// Time-outs that one model needs and others do not: a large one is slow to its first byte on every node. A list, since names of
// models hold dots and colons, which keys of the file may not.

/** The phases that may be set for a node. */
export const phases = ['connect', 'firstByte', 'betweenBytes'] as const;
/** Connecting has nothing to do with the model. */
const phasesOfModel = ['firstByte', 'betweenBytes'] as const;

const phase = duration({ minMs: 1 });

/** Reads the phases that are written among a node's time-outs. */
export function readPhases(fields: Fields): NodeTimeouts {
  const connectMs = fields.scalar('connect', phase);
  return { ...(connectMs === undefined ? {} : { connectMs }), ...readPhasesOfModel(fields) };
}

function readPhasesOfModel(fields: Fields): NodeTimeouts {
  const firstByteMs = fields.scalar('firstByte', phase);
  const betweenBytesMs = fields.scalar('betweenBytes', phase);
  return {
    ...(firstByteMs === undefined ? {} : { firstByteMs }),
    ...(betweenBytesMs === undefined ? {} : { betweenBytesMs }),
  };
}

/** Reads the file's `timeouts.models`; by canonical public name. */
export function readModelTimeouts(
  file: SourceFile,
  problems: Problems,
  inForce: InForce[],
): Readonly<Record<string, NodeTimeouts>> {
  const byModel = new Map<string, NodeTimeouts>();
  const known = ['model', ...phasesOfModel];
  for (const fields of entriesOf(lookUp(file, 'timeouts.models'), 'timeouts.models', known, file.name, problems)) {
    const written = fields.scalar('model', line('model'));
    if (written === undefined) {
      if (!fields.has('model')) fields.problem(null, 'has no model; write model: NAME');
      continue;
    }
    const model = canonicalModel(written);
    if (byModel.has(model)) fields.problem('model', `"${written}" has its time-outs above; keep one of them`);
    const timeouts = readPhasesOfModel(fields);
    if (Object.keys(timeouts).length === 0)
      fields.problem(null, `sets nothing; write one of ${phasesOfModel.join(', ')}`);
    byModel.set(model, timeouts);
    const shown = Object.entries(timeouts).map(([name, ms]) => `${name} ${ms}`);
    inForce.push({ path: `timeouts.models.${model}`, shown: shown.join(', '), origin: `file:${fields.line}` });
  }
  return Object.fromEntries(byModel);
}
