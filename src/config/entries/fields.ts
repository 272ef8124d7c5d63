import type { SectionTree, Tree } from '../sources/tree.ts';
import type { Problems } from '../problems.ts';
import { nearest } from '../values/spelling.ts';
import type { Kind } from '../values/kinds.ts';

/** The fields of one entry of a list in the file; every read reports what is wrong and then gives undefined. */
export class Fields {
  readonly trail: string;
  readonly #section: SectionTree;
  readonly #file: string;
  readonly #problems: Problems;

  constructor(section: SectionTree, trail: string, known: readonly string[], file: string, problems: Problems) {
    this.trail = trail;
    this.#section = section;
    this.#file = file;
    this.#problems = problems;
    for (const [key, { line }] of section.entries) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      const advice = near === null ? `write one of ${known.join(', ')}` : `did you mean ${near}?`;
      problems.add(`${trail}.${key}`, `${file}:${line}`, `unknown; ${advice}`);
    }
  }

  get line(): number {
    return this.#section.line;
  }

  has(name: string): boolean {
    return this.tree(name) !== undefined;
  }

  /** Undefined where nothing is written. */
  tree(name: string): Tree | undefined {
    const tree = this.#section.entries.get(name)?.tree;
    return tree?.kind === 'scalar' && tree.value === null && tree.isBroken !== true ? undefined : tree;
  }

  scalar<T>(name: string, kind: Kind<T>): T | undefined {
    const tree = this.tree(name);
    return tree === undefined ? undefined : this.readScalar(tree, name, kind);
  }

  readScalar<T>(tree: Tree, name: string, kind: Kind<T>): T | undefined {
    if (tree.kind !== 'scalar') {
      this.problem(name, `is a ${tree.kind}; write one value`, tree.line);
      return undefined;
    }
    if (tree.value === null) {
      if (tree.isBroken !== true) this.problem(name, 'has no value; write one or remove the line', tree.line);
      return undefined;
    }
    const reading = kind.read(tree.value);
    if (reading.ok) return reading.value;
    this.problem(name, reading.problem, tree.line);
    return undefined;
  }

  section(name: string, known: readonly string[]): Fields | undefined {
    const tree = this.tree(name);
    if (tree === undefined) return undefined;
    if (tree.kind === 'section') return new Fields(tree, `${this.trail}.${name}`, known, this.#file, this.#problems);
    this.problem(name, `must be a section; write it as { ${known.join(': …, ')}: … }`, tree.line);
    return undefined;
  }

  /** A section of free names with one text each. */
  texts(name: string, kind: Kind<string>): ReadonlyMap<string, string> | undefined {
    const tree = this.tree(name);
    if (tree === undefined) return undefined;
    if (tree.kind !== 'section') {
      this.problem(name, 'must be a section; write it as { name: value }', tree.line);
      return undefined;
    }
    const texts = new Map<string, string>();
    for (const [key, entry] of tree.entries) {
      const value = this.readScalar(entry.tree, `${name}.${key}`, kind);
      if (value !== undefined) texts.set(key, value);
    }
    return texts;
  }

  list(name: string, kind: Kind<string>): readonly string[] | undefined {
    const tree = this.tree(name);
    if (tree === undefined) return undefined;
    if (tree.kind !== 'list') {
      this.problem(name, 'must be a list; write it as [first, second]', tree.line);
      return undefined;
    }
    return tree.items.flatMap((item, index) => this.readScalar(item, `${name}[${index}]`, kind) ?? []);
  }

  problem(name: string | null, problem: string, line?: number): void {
    const at = line ?? (name === null ? undefined : this.#section.entries.get(name)?.line) ?? this.#section.line;
    this.#problems.add(name === null ? this.trail : `${this.trail}.${name}`, `${this.#file}:${at}`, problem);
  }
}

/** The entries of a list such as `nodes`, each with its fields; reports what is no such list. */
export function entriesOf(
  tree: Tree | null,
  path: string,
  known: readonly string[],
  file: string,
  problems: Problems,
): readonly Fields[] {
  if (tree === null || (tree.kind === 'scalar' && tree.value === null)) return [];
  if (tree.kind !== 'list') {
    problems.add(path, `${file}:${tree.line}`, `must be a list; start each entry with "- ${known[0]}: …"`);
    return [];
  }
  return tree.items.flatMap((item, index) => {
    const trail = `${path}[${index}]`;
    if (item.kind === 'section') return new Fields(item, trail, known, file, problems);
    problems.add(
      trail,
      `${file}:${item.line}`,
      `must be a section; write it as "- ${known[0]}: …" with its settings below`,
    );
    return [];
  });
}
