import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SourceFile } from './boundaries.ts';

// Documents name files and metrics; a renamed one leaves them lying. Links to other sites are not followed, and anchors
// within a page are not checked.

/** One line per relative link in a Markdown page that leads nowhere. */
export function findDeadLinks(pages: readonly SourceFile[], exists: (path: string) => boolean = existsSync): string[] {
  return pages.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g), ([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !exists(join(dirname(path), target)))
      .map((target) => `${path}: the link to ${target} leads nowhere`),
  );
}

/** One line per metric that a page names and that no source file has. */
export function findUnknownMetrics(pages: readonly SourceFile[], sources: readonly SourceFile[]): string[] {
  const known = new Set(sources.flatMap(({ text }) => text.match(/\bweir_[a-z_]+/g) ?? []));
  return pages.flatMap(({ path, text }) =>
    [...new Set(text.match(/`weir_[a-z_]+/g) ?? [])]
      .map((name) => name.slice(1))
      .filter((name) => !known.has(name))
      .map((name) => `${path}: there is no metric ${name}`),
  );
}
