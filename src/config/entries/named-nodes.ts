import type { NodeSettings } from '../../fleet/settings.ts';
import type { Problems } from '../problems.ts';
import type { InForce } from '../resolve.ts';
import { checkName, deriveName, readNodeUrl } from './node-names.ts';
import type { NodeDraft } from './nodes.ts';

// Nodes of all sources together. They add up rather than replace each other: `--node` beside a file means "this one
// too". A name is a node's identity, so the same name twice is an error and never a silent choice.

/** Reads "URL" or "name=URL", as in `--node` and WEIR_NODES. */
export function readNodeText(text: string, origin: 'flag' | `env:${string}`, problems: Problems): NodeDraft | null {
  const [trail, where] = origin === 'flag' ? ['--node', null] : ['nodes', origin.slice('env:'.length)];
  const match = /^([^=/]+)=(.*)$/.exec(text.trim());
  const [name, address] = match ? [match[1] ?? '', match[2] ?? ''] : [null, text.trim()];
  const nameProblem = name === null ? null : checkName(name);
  if (nameProblem !== null) problems.add(trail, where, nameProblem);
  const url = readNodeUrl(address);
  if (!url.ok) problems.add(trail, where, url.problem);
  if (!url.ok || nameProblem !== null) return null;
  return { name, url: url.value, engine: 'auto', headers: {}, origin, where, trail };
}

/** Gives names to those without and reports names that occur twice. */
export function nameNodes(
  drafts: readonly NodeDraft[],
  problems: Problems,
  inForce: InForce[],
): readonly NodeSettings[] {
  const given = new Map<string, NodeDraft>();
  for (const draft of drafts) {
    if (draft.name === null) continue;
    const other = given.get(draft.name);
    if (other)
      problems.add(
        draft.trail,
        draft.where,
        `the name "${draft.name}" is taken by another node (${other.where ?? other.trail}); give this one another`,
      );
    else given.set(draft.name, draft);
  }
  const taken = new Set(given.keys());
  return drafts.map((draft) => {
    const { where: _where, origin, trail: _trail, name: written, ...rest } = draft;
    const name = written ?? deriveName(rest.url, taken);
    taken.add(name);
    if (draft.provider === undefined) inForce.push({ path: `nodes.${name}`, shown: describe(draft), origin });
    return { name, ...rest };
  });
}

function describe({ url, engine, maxConcurrent, apiKey, models, headers }: NodeDraft): string {
  const parts = [url];
  if (engine !== 'auto') parts.push(`engine ${engine}`);
  if (maxConcurrent !== undefined) parts.push(`maxConcurrent ${maxConcurrent}`);
  if (apiKey !== undefined) parts.push('apiKey ***');
  if (Object.keys(headers).length > 0) parts.push(`headers ${Object.keys(headers).join(', ')}`);
  if (models !== undefined) parts.push(`models ${Object.keys(models).join(', ')}`);
  return parts.join('; ');
}
