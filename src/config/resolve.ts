import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Environment } from './sources/environment.ts';
import type { SourceFile, Tree } from './sources/tree.ts';
import { flagName, variableName, type Row } from './table.ts';
import type { Kind, Raw } from './values/kinds.ts';
import type { Problems } from './problems.ts';

// One value per row, from the strongest source that has it: the admin API, flag, variable, file, fallback. A weaker source is not even
// read, so a broken value that is overridden does not stop the start.

/** Where a setting came from. */
export type Origin = 'default' | 'flag' | 'api' | `file:${number}` | `env:${string}`;

export interface Sources {
  readonly file: SourceFile | null;
  readonly env: Environment;
  /** By setting's path. */
  readonly flags: ReadonlyMap<string, string>;
  readonly cwd: string;
  /** By setting's path: what was set through the admin API. */
  readonly overrides?: ReadonlyMap<string, Raw>;
}

export interface InForce {
  readonly path: string;
  /** For people; secrets are masked. */
  readonly shown: string;
  readonly origin: Origin;
}

export const MASK = '***';

interface Found {
  readonly raw: Raw | null;
  readonly origin: Origin;
  /** For messages. */
  readonly where: string | null;
  /** Where relative paths start. */
  readonly directory: string;
}

/** Reads a row; on a problem adds it and returns the fallback's value, so that reading goes on. */
export function resolveRow<T>(row: Row<T>, sources: Sources, problems: Problems, inForce: InForce[]): T | null {
  const found = find(row, sources, problems);
  if (found.raw === null) {
    inForce.push({ path: row.path, shown: 'none', origin: found.origin });
    return null;
  }
  const raw =
    row.isPath === true && typeof found.raw === 'string' && found.raw !== ''
      ? toAbsolute(found.raw, found.directory, sources.env)
      : found.raw;
  const reading = row.kind.read(raw);
  if (!reading.ok) {
    problems.add(row.path, found.where, row.secret === true ? hideSecret(reading.problem, raw) : reading.problem);
    return fallbackOf(row.kind, row.fallback);
  }
  inForce.push({
    path: row.path,
    shown: row.secret === true ? MASK : row.kind.show(reading.value),
    origin: found.origin,
  });
  return reading.value;
}

function find<T>(row: Row<T>, sources: Sources, problems: Problems): Found {
  const { file, env, flags, cwd, overrides } = sources;
  const override = overrides?.get(row.path);
  if (override !== undefined) return { raw: override, origin: 'api', where: null, directory: cwd };
  const flag = flags.get(row.path);
  if (flag !== undefined) return { raw: flag, origin: 'flag', where: `--${flagName(row.path)}`, directory: cwd };
  const name = variableName(row.path);
  const variable = env[name];
  // An empty variable counts as unset: that is how compose files and unit files switch one off.
  if (variable !== undefined && variable !== '')
    return { raw: variable, origin: `env:${name}`, where: name, directory: cwd };
  if (file !== null) {
    const tree = lookUp(file, row.path);
    if (tree !== null) {
      const where = `${file.name}:${tree.line}`;
      const raw = rawOf(tree, row, where, problems);
      if (raw !== null) return { raw, origin: `file:${tree.line}`, where, directory: file.directory };
    }
  }
  return { raw: row.fallback, origin: 'default', where: null, directory: cwd };
}

/** The tree at a path such as queue.maxWaiters, or null. */
export function lookUp(file: SourceFile, path: string): Tree | null {
  let tree: Tree = file.root;
  for (const part of path.split('.')) {
    if (tree.kind !== 'section') return null;
    const entry = tree.entries.get(part);
    if (!entry) return null;
    tree = entry.tree;
  }
  return tree;
}

function rawOf<T>(tree: Tree, row: Row<T>, where: string, problems: Problems): Raw | null {
  const example = row.fallback === null || row.fallback === '' ? `a ${row.kind.name}` : row.fallback;
  if (tree.kind === 'section') {
    problems.add(row.path, where, `is a section; write one value, such as ${example}`);
    return null;
  }
  if (tree.kind === 'scalar') {
    if (tree.value === null && tree.isBroken !== true && row.fallback !== null) {
      problems.add(row.path, where, `has no value; write one, such as ${example}, or remove the line`);
    }
    return tree.value;
  }
  if (row.kind.takesList !== true) {
    problems.add(row.path, where, `is a list; write one value, such as ${example}`);
    return null;
  }
  const items = tree.items.flatMap((item) => (item.kind === 'scalar' && item.value !== null ? [item.value] : []));
  if (items.length < tree.items.length)
    problems.add(row.path, where, 'holds something that is not one value; write a list of single values');
  return items;
}

function fallbackOf<T>(kind: Kind<T>, fallback: string | null): T | null {
  const reading = fallback === null ? null : kind.read(fallback);
  return reading?.ok === true ? reading.value : null;
}

/** `~` and `~/…` start at the home directory, relative paths at `directory`. */
export function toAbsolute(path: string, directory: string, env: Environment): string {
  if (path === '~' || path.startsWith('~/')) return join(env['HOME'] || homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(directory, path);
}

function hideSecret(problem: string, raw: Raw): string {
  return typeof raw === 'string' && raw !== '' ? problem.replaceAll(raw, MASK) : problem;
}
