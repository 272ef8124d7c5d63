import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Node, Scalar } from 'yaml';
import { isNodeError } from '../values/node-error.ts';
import { Problems } from '../problems.ts';
import type { Environment } from './environment.ts';
import { expand } from './expand.ts';
import type { SectionTree, SourceFile, Tree } from './tree.ts';

// Reads a YAML file (so a JSON one too) into a tree with line numbers. The library is loaded only here and only when
// there is a file, which keeps a router without one small.

/** Aliases can make a small file endlessly large or deep; no real configuration comes near these. */
const MAX_DEPTH = 12;
const MAX_VALUES = 100_000;

/** Reads `path` (relative to `cwd`), or adds to `problems` and returns null. Messages call the file by `path` as given. */
export async function readYamlFile(
  path: string,
  cwd: string,
  env: Environment,
  problems: Problems,
): Promise<SourceFile | null> {
  const absolute = resolve(cwd, path);
  const tree = await readTree(path, '--config', absolute, env, problems);
  if (tree === null) return null;
  const directory = dirname(absolute);
  if (tree.kind === 'section') return { name: path, directory, root: tree };
  if (tree.kind === 'scalar' && tree.value === null) return { name: path, directory, root: emptySection };
  problems.add(path, null, 'holds no settings; write lines such as "listen: 127.0.0.1:9347"');
  return null;
}

/** As `readYamlFile`, of the file that `setting` names, which holds one list, by itself or under `key`. */
export async function readYamlList(
  absolute: string,
  setting: string,
  key: string,
  env: Environment,
  problems: Problems,
): Promise<SourceFile | null> {
  const tree = await readTree(absolute, setting, absolute, env, problems);
  if (tree === null) return null;
  const name = absolute;
  const directory = dirname(absolute);
  if (tree.kind === 'list') {
    return { name, directory, root: { ...emptySection, entries: new Map([[key, { line: tree.line, tree }]]) } };
  }
  if (tree.kind === 'scalar' && tree.value === null) return { name, directory, root: emptySection };
  if (tree.kind === 'section' && tree.entries.size === 1 && tree.entries.has(key)) {
    return { name, directory, root: tree };
  }
  problems.add(absolute, null, `must hold a list and nothing else, by itself or under "${key}:"`);
  return null;
}

async function readTree(
  path: string,
  setting: string,
  absolute: string,
  env: Environment,
  problems: Problems,
): Promise<Tree | null> {
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (error) {
    problems.add(path, null, whyUnreadable(error, setting));
    return null;
  }
  const yaml = await import('yaml');
  const counter = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const lineAt = (offset: number | undefined): number => counter.linePos(offset ?? 0).line;
  for (const error of document.errors) {
    problems.add(`${path}:${lineAt(error.pos[0])}`, null, `not valid YAML: ${error.message}`);
  }
  if (document.errors.length > 0) return null;

  let values = 0;
  const read = (node: unknown, trail: string, depth: number, fallbackLine: number): Tree | null => {
    if (yaml.isAlias(node)) return read(node.resolve(document), trail, depth + 1, lineAt(node.range?.[0]));
    const line = yaml.isNode(node) ? lineAt(startOf(node)) : fallbackLine;
    const where = `${path}:${line}`;
    if (depth > MAX_DEPTH || ++values > MAX_VALUES) {
      problems.add(trail || path, where, 'nested too deep or too large; write it without so many levels or aliases');
      return null;
    }
    if (yaml.isSeq(node)) {
      const items: Tree[] = [];
      for (const [index, item] of node.items.entries()) {
        const tree = read(item, `${trail}[${index}]`, depth + 1, line);
        if (tree === null) return null;
        items.push(tree);
      }
      return { kind: 'list', line, items };
    }
    if (yaml.isMap(node)) {
      const entries = new Map<string, { line: number; tree: Tree }>();
      for (const pair of node.items) {
        const key = yaml.isScalar(pair.key) ? scalarText(pair.key) : String(pair.key);
        const keyLine = yaml.isNode(pair.key) ? lineAt(startOf(pair.key)) : line;
        const tree = read(pair.value, trail === '' ? key : `${trail}.${key}`, depth + 1, keyLine);
        if (tree === null) return null;
        entries.set(key, { line: keyLine, tree });
      }
      return { kind: 'section', line, entries };
    }
    if (!yaml.isScalar(node) || node.value === null) return { kind: 'scalar', line, value: null };
    const expanded = expand(scalarText(node), env);
    if (expanded.ok) return { kind: 'scalar', line, value: expanded.value };
    problems.add(trail, where, expanded.problem);
    return { kind: 'scalar', line, value: null, isBroken: true };
  };

  return read(document.contents, '', 0, 1);
}

const emptySection: SectionTree = { kind: 'section', line: 1, entries: new Map() };

function startOf(node: Node): number | undefined {
  return node.range?.[0];
}

/** Numbers as written, since 0123 may be a key and not a number. */
function scalarText({ value, source }: Scalar): string {
  return typeof value === 'string' ? value : (source ?? String(value));
}

function whyUnreadable(error: unknown, setting: string): string {
  if (isNodeError(error) && error.code === 'ENOENT') return `there is no such file; check the path of ${setting}`;
  if (isNodeError(error) && error.code === 'EISDIR') return 'is a directory; name the file in it';
  if (isNodeError(error) && error.code === 'EACCES') return 'may not be read by this user; change its owner or mode';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
