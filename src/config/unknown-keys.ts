import type { Environment } from './sources/environment.ts';
import type { SectionTree, SourceFile } from './sources/tree.ts';
import type { Problems } from './problems.ts';
import { type Row, rows, table, variableName } from './table.ts';
import { editDistance, nearest } from './values/spelling.ts';

// Keys and variables that mean nothing. In the file each one is an error: a misspelt limit that is silently ignored
// shows itself only under load. A variable is an error only where it is nearly one of ours, since Kubernetes itself
// sets WEIR_PORT and WEIR_SERVICE_HOST beside a service called weir; others get a warning.

/** Lists that entries/ reads. */
const LISTS = [
  'nodes',
  'discovery.dns',
  'auth.keys',
  'timeouts.models',
  'distribution',
  'providers',
  'aliases',
] as const;
const OTHER_VARIABLES = ['WEIR_CONFIG', 'WEIR_NODES'] as const;
const FROM_KUBERNETES = /^WEIR_(SERVICE_(HOST|PORT)|PORT)(_|$)/;

export function reportUnknownKeys(file: SourceFile, problems: Problems): void {
  const paths = [...rows.map((row) => row.path), ...LISTS];
  checkSection(file.root, '', paths, file.name, problems);
}

function checkSection(
  section: SectionTree,
  trail: string,
  paths: readonly string[],
  file: string,
  problems: Problems,
): void {
  const below = paths.filter((path) => path.startsWith(trail)).map((path) => path.slice(trail.length));
  const known = new Set(below.map((path) => path.split('.')[0] ?? path));
  for (const [key, { line, tree }] of section.entries) {
    const path = trail + key;
    if (!known.has(key)) {
      problems.add(path, `${file}:${line}`, `unknown; ${suggestion(key, known, paths)}`);
    } else if (below.includes(key)) {
      continue;
    } else if (tree.kind === 'section') {
      checkSection(tree, `${path}.`, paths, file, problems);
    } else if (tree.kind === 'list' || tree.value !== null) {
      const example = below.find((other) => other.startsWith(`${key}.`))?.slice(key.length + 1) ?? '';
      problems.add(path, `${file}:${line}`, `must be a section; write its settings below it, such as "${example}: …"`);
    }
  }
}

/** Says the nearest key of this section, else where a key of that name stands, else what there is. */
function suggestion(key: string, known: ReadonlySet<string>, paths: readonly string[] = []): string {
  const near = nearest(key, known);
  if (near !== null) return `did you mean ${near}?`;
  const elsewhere = paths.find((path) => path.toLowerCase().endsWith(`.${key.toLowerCase()}`) || path === key);
  if (elsewhere !== undefined) return `did you mean ${elsewhere}?`;
  return `write one of ${[...known].join(', ')}`;
}

/** Returns warnings; near misses become problems. */
export function reportUnknownVariables(env: Environment, problems: Problems): readonly string[] {
  const known = new Set<string>([...rows.map((row) => variableName(row.path)), ...OTHER_VARIABLES]);
  const warnings: string[] = [];
  for (const name of Object.keys(env).toSorted()) {
    if (!name.startsWith('WEIR_') || known.has(name) || FROM_KUBERNETES.test(name)) continue;
    const near = nearest(
      name.slice('WEIR_'.length),
      [...known].map((other) => other.slice('WEIR_'.length)),
    );
    if (near !== null && editDistance(name, `WEIR_${near}`) <= 3) {
      problems.add(name, 'environment', `unknown; did you mean WEIR_${near}?`);
    } else {
      warnings.push(`the variable ${name} means nothing to weir and is ignored`);
    }
  }
  return warnings;
}

/**
 * Those that may be set through the admin API: not what only a restart changes, secrets, whole lists, paths, and what belongs to a provider's
 * key. The others are problems and go no further: nothing that they name is to be opened, were it only to say what is wrong with it.
 */
export function usableOverrides<T>(overrides: ReadonlyMap<string, T>, problems: Problems): ReadonlyMap<string, T> {
  const changeable = new Set(
    Object.values(table).flatMap((row: Row<unknown>) => (row.restart || row.secret || row.isPath ? [] : [row.path])),
  );
  const known = new Set<string>([...rows.map(({ path }) => path), ...LISTS]);
  for (const path of overrides.keys()) {
    if (changeable.has(path)) continue;
    if ([...known].some((each) => each === path || path.startsWith(`${each}.`))) {
      problems.add(path, null, 'cannot be set through the admin API; set it in the file, by a variable or by a flag');
    } else {
      problems.add(path, null, `unknown; ${suggestion(path, changeable, [...known])}`);
    }
  }
  return new Map([...overrides].filter(([path]) => changeable.has(path)));
}
