import type { DistributionRule } from '../../fleet/settings.ts';
import type { Problems } from '../problems.ts';
import { type InForce, lookUp } from '../resolve.ts';
import type { SourceFile } from '../sources/tree.ts';
import { line } from '../values/kinds.ts';
import { entriesOf } from './fields.ts';
import { checkTag } from './node-upkeep.ts';

const FIELDS = ['model', 'tags'] as const;

/** Reads the file's `distribution`: which models the nodes of which tags are to have. */
export function readDistribution(
  file: SourceFile,
  problems: Problems,
  inForce: InForce[],
): readonly DistributionRule[] {
  const rules: DistributionRule[] = [];
  for (const fields of entriesOf(lookUp(file, 'distribution'), 'distribution', FIELDS, file.name, problems)) {
    const model = fields.scalar('model', line('model'));
    const tags = fields.list('tags', line('tag', checkTag)) ?? null;
    if (!fields.has('model')) fields.problem(null, "has no model; write model: NAME, as the engine's library calls it");
    const written = fields.tree('tags');
    if (written?.kind === 'list' && written.items.length === 0)
      fields.problem('tags', 'is empty; name a tag, or remove it to mean every node');
    if (model === undefined) continue;
    rules.push({ model, tags });
    const shown = tags === null ? 'every node' : `tags ${tags.join(', ')}`;
    inForce.push({ path: `distribution.${model}`, shown, origin: `file:${fields.line}` });
  }
  return rules;
}
