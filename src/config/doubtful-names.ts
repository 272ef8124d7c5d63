import { prefixOf } from '../fleet/glossary.ts';
import { prefixIn } from '../fleet/offered-models.ts';
import type { Settings } from '../fleet/settings.ts';

/** Names of models that mean something else than whoever wrote them probably thinks; as warnings, since a model may turn up later. */
export function doubtfulNames({ nodes, aliases }: Pick<Settings, 'nodes' | 'aliases'>): readonly string[] {
  const warnings: string[] = [];
  const configured = new Set(nodes.flatMap(({ provider }) => (provider ? [prefixOf(provider)] : [])));
  for (const { name, provider, models } of nodes) {
    if (provider) continue;
    for (const model of Object.keys(models ?? {})) {
      const prefix = prefixIn(model);
      if (prefix !== null && configured.has(prefix)) {
        warnings.push(
          `the node "${name}" does not offer ${model}: names that begin with ${prefix} go to that provider`,
        );
      }
    }
  }
  for (const { name, targets } of aliases) {
    for (const { model } of targets) {
      const prefix = prefixIn(model);
      if (prefix === null || configured.has(prefix)) continue;
      const provider = prefix.slice(0, -1);
      warnings.push(`the alias "${name}" names ${model}, and providers.${provider} is not set`);
    }
    for (const { name: node, models } of nodes) {
      if (models && Object.hasOwn(models, name)) {
        warnings.push(`the alias "${name}" hides the model of that name on the node "${node}"`);
      }
    }
  }
  return warnings;
}
