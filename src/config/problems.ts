// Everything wrong with a configuration is collected and told at once: whoever repairs one line should not learn of the
// next only at the next start.

export class Problems {
  readonly #found: string[] = [];

  /** `where` is `file:line`, a variable's name or a flag. */
  add(path: string, where: string | null, problem: string): void {
    this.#found.push(`${path}${where === null ? '' : ` (${where})`}: ${problem}`);
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  lines(): readonly string[] {
    return this.#found;
  }
}
