import { canonicalModel, prefixOf, providerNames } from '../../fleet/glossary.ts';
import type { Alias, AliasTarget } from '../../fleet/settings.ts';
import type { Problems } from '../problems.ts';
import { type InForce, lookUp } from '../resolve.ts';
import type { SourceFile, Tree } from '../sources/tree.ts';
import { duration, fraction, line } from '../values/kinds.ts';
import { showDuration } from '../values/units.ts';
import { Fields } from './fields.ts';

// Names for several models: a list is tried in its order, `any` splits requests by weight, and `wait` bounds how long one is waited for
// before the next. An alias names models and never another
// alias, itself included: what a name stands for can be read off one line, and no chain can close to a ring.

const EXAMPLE = 'fast: [llama3, "openai:gpt-4o-mini"] or fast: { any: [llama3, { model: qwen3, weight: 2 }] }';
const FORM: readonly string[] = ['order', 'any', 'wait'];
const modelName = line('model');
const wait = duration({ minMs: 0 });
const weightKind = fraction({ max: 1000, example: '2' });

/** Reads the file's `aliases`. */
export function readAliases(file: SourceFile, problems: Problems, inForce: InForce[]): readonly Alias[] {
  const tree = lookUp(file, 'aliases');
  if (tree === null || (tree.kind === 'scalar' && tree.value === null)) return [];
  if (tree.kind !== 'section') {
    problems.add('aliases', `${file.name}:${tree.line}`, `must be a section; write it as ${EXAMPLE}`);
    return [];
  }
  // Any name is known here.
  const fields = new Fields(tree, 'aliases', [...tree.entries.keys()], file.name, problems);
  const names = new Map<string, string>();
  for (const name of tree.entries.keys()) {
    const twin = names.get(canonicalModel(name));
    if (twin !== undefined) fields.problem(name, `is the same name as "${twin}"; keep one of them`);
    names.set(canonicalModel(name), name);
  }
  const aliases: Alias[] = [];
  for (const [name, entry] of tree.entries) {
    const alias = readAlias(name, entry.tree, fields, names);
    if (alias === null) continue;
    aliases.push(alias);
    inForce.push({ path: `aliases.${name}`, shown: describe(alias), origin: `file:${entry.line}` });
  }
  return aliases;
}

function readAlias(written: string, tree: Tree, fields: Fields, names: ReadonlyMap<string, string>): Alias | null {
  const name = canonicalModel(written);
  const prefix = providerNames.map(prefixOf).find((each) => name.startsWith(each));
  if (name.trim() === '') fields.problem(written, 'is no name; write one that clients can ask for');
  if (prefix !== undefined) {
    fields.problem(written, `begins with ${prefix}, and such models go to that provider; choose another name`);
  }
  const section = tree.kind === 'section' ? fields.section(written, FORM) : undefined;
  const [order, any] = [section?.tree('order'), section?.tree('any')];
  const waitMs = section?.scalar('wait', wait) ?? null;
  if (order && any) fields.problem(written, 'has order and any; keep one of them', tree.line);
  const list = section ? (order ?? any) : tree;
  if (list?.kind !== 'list') {
    // A misspelt key has been told already.
    const isMisspelt = tree.kind === 'section' && [...tree.entries.keys()].some((key) => !FORM.includes(key));
    if (list !== undefined || !isMisspelt) fields.problem(written, `lists no models; write ${EXAMPLE}`, tree.line);
    return null;
  }
  const how = any && !order ? 'weighted' : 'in-order';
  const targets = list.items.flatMap((item, index) => {
    const trail = section ? `${written}.${order ? 'order' : 'any'}[${index}]` : `${written}[${index}]`;
    return readTarget(item, how, trail, fields) ?? [];
  });
  if (list.items.length === 0) fields.problem(written, `names no model; write ${EXAMPLE}`, list.line);
  const seen = new Set<string>();
  for (const { model } of targets) {
    const alias = names.get(canonicalModel(model));
    if (alias !== undefined) {
      fields.problem(
        written,
        `names "${model}", which is an alias itself; name the models that it stands for`,
        list.line,
      );
    }
    if (seen.has(canonicalModel(model))) fields.problem(written, `names "${model}" twice; keep one of them`, list.line);
    seen.add(canonicalModel(model));
  }
  return targets.length === 0 ? null : { name, how, waitMs, targets };
}

function readTarget(item: Tree, how: Alias['how'], trail: string, fields: Fields): AliasTarget | null {
  if (item.kind !== 'section') {
    const model = fields.readScalar(item, trail, modelName);
    return model === undefined ? null : { model, weight: 1 };
  }
  if (how === 'in-order') {
    fields.problem(
      trail,
      'is a section; write the name of a model, or split by weight with { any: [{ model, weight }] }',
      item.line,
    );
    return null;
  }
  const known = ['model', 'weight'];
  for (const [key, { line: at }] of item.entries) {
    if (!known.includes(key)) fields.problem(`${trail}.${key}`, `unknown; write one of ${known.join(', ')}`, at);
  }
  const named = item.entries.get('model');
  if (!named) fields.problem(trail, 'has no model; write model: NAME', item.line);
  const model = named ? fields.readScalar(named.tree, `${trail}.model`, modelName) : undefined;
  const weighed = item.entries.get('weight');
  const weight = weighed ? fields.readScalar(weighed.tree, `${trail}.weight`, weightKind) : 1;
  return model === undefined || weight === undefined ? null : { model, weight };
}

function describe({ how, waitMs, targets }: Alias): string {
  const models =
    how === 'in-order'
      ? targets.map(({ model }) => model).join(', then ')
      : targets.map(({ model, weight }) => `${model} (weight ${weight})`).join(', ');
  return waitMs === null ? models : `${models}; wait ${showDuration(waitMs)}`;
}
