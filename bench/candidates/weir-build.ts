import { execFileSync } from 'node:child_process';
import { cpSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, root } from './places.ts';

// Weir compiled as it is published, never into the checkout's dist/: somebody may be working there. A commit is built once from a clone and
// kept; the working tree is compiled anew for each run. Both use the packages that are installed in the checkout now.

export interface Build {
  readonly main: string;
  readonly version: string;
  readonly remove: () => void;
}

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
}

/** Compiles the sources in `source` into `into`, which then runs on its own. */
function compile(source: string, into: string): void {
  symlinkSync(join(root, 'node_modules'), join(into, 'node_modules'));
  copyFileSync(join(source, 'package.json'), join(into, 'package.json'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', join(source, 'tsconfig.build.json'), '--outDir', join(into, 'dist')];
  try {
    execFileSync(process.execPath, args, { cwd: source, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    const advice = 'measure a commit (--weir HEAD), or a commit with some paths of the working tree (--overlay PATH)';
    throw new Error(`${source} does not compile; repair it, or ${advice}.\n${said}`, { cause: error });
  }
}

function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'weir-bench-build-'));
}

function remover(...folders: readonly string[]): () => void {
  return () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  };
}

/** The working tree as it is now. Throws where it does not compile. */
export function buildWorkTree(): Build {
  const into = emptyFolder();
  const remove = remover(into);
  try {
    compile(root, into);
  } catch (error) {
    remove();
    throw error;
  }
  const isChanged = git('status', '--porcelain', '--', 'src') !== '';
  const version = `${git('rev-parse', '--short=7', 'HEAD')}${isChanged ? ' + changes' : ''}`;
  return { main: join(into, 'dist/main.js'), version, remove };
}

function clone(commit: string): string {
  const folder = emptyFolder();
  execFileSync('git', ['clone', '--quiet', '--shared', '--no-checkout', root, folder]);
  execFileSync('git', ['-C', folder, 'checkout', '--quiet', commit]);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** A commit. Throws where `ref` names none. */
export function buildCommit(ref: string): Build {
  const commit = git('rev-parse', '--verify', `${ref}^{commit}`);
  const version = commit.slice(0, 7);
  const kept = join(cacheFolder('weir'), version);
  if (!existsSync(kept)) {
    const source = clone(commit);
    const into = emptyFolder();
    try {
      compile(source, into);
      cpSync(into, `${kept}.new`, { recursive: true, verbatimSymlinks: true });
      renameSync(`${kept}.new`, kept);
    } finally {
      remover(source, into)();
    }
  }
  return { main: join(kept, 'dist/main.js'), version, remove: () => undefined };
}

/** A commit with these paths as they are in the working tree, for a checkout in which others are at work too. */
export function buildOverlay(ref: string, paths: readonly string[]): Build {
  const commit = git('rev-parse', '--verify', `${ref}^{commit}`);
  const source = clone(commit);
  const into = emptyFolder();
  const remove = remover(source, into);
  try {
    for (const path of paths) {
      rmSync(join(source, path), { recursive: true, force: true });
      if (existsSync(join(root, path))) cpSync(join(root, path), join(source, path), { recursive: true });
    }
    compile(source, into);
  } catch (error) {
    remove();
    throw error;
  }
  return { main: join(into, 'dist/main.js'), version: `${commit.slice(0, 7)} + ${paths.join(' ')}`, remove };
}
