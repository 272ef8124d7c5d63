// Everything wrong with a configuration is collected and told at once: whoever repairs one line should not learn of the
// next only at the next start. Those of the file come in its order, the rest after them.

export class Problems {
  readonly #found: { readonly line: number; readonly text: string }[] = [];

  /** `where` is `file:line`, a variable's name or a flag. */
  add(path: string, where: string | null, problem: string): void {
    const line = Number(/:(\d+)$/.exec(where ?? path)?.[1] ?? Number.POSITIVE_INFINITY);
    this.#found.push({ line, text: `${path}${where === null ? '' : ` (${where})`}: ${problem}` });
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  lines(): readonly string[] {
    return this.#found
      .toSorted((one, other) => (one.line === other.line ? 0 : one.line - other.line))
      .map(({ text }) => text);
  }
}
