import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** Where rivals and builds are kept between runs, outside the checkout. */
export function cacheFolder(name: string): string {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'weir-bench', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder for one process of one part. */
export function runFolder(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `weir-bench-${name.replaceAll(/[^a-z0-9]+/gi, '-')}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
