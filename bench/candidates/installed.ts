import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './places.ts';

// Rivals are installed by their own registries' clients into a cache outside the checkout, in the versions named where they are configured:
// a newer one may behave differently, and the report would not be comparable. They are no dependencies of Weir.

const PATIENCE_MS = 600_000;

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `install` in the folder unless it was done before. Throws with the last words of what failed. */
function once(folder: string, install: () => void): void {
  const proof = join(folder, 'installed');
  if (existsSync(proof)) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    install();
    writeFileSync(proof, '');
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`could not be installed: ${said.trim().split('\n').at(-1) ?? ''}`, { cause: error });
  }
}

/** A Python package in an environment of its own; returns its interpreter. */
export function pythonPackage(requirement: string): string {
  const folder = cacheFolder(requirement.replaceAll(/[^a-z0-9.]+/gi, '-'));
  once(folder, () => {
    run('python3', ['-m', 'venv', 'venv'], folder);
    run(join(folder, 'venv/bin/pip'), ['install', '--quiet', requirement], folder);
  });
  return join(folder, 'venv/bin/python');
}

/** An npm package with its dependencies, some of them in a version named here; returns its folder. */
export function npmPackage(name: string, version: string, overrides: Readonly<Record<string, string>> = {}): string {
  const folder = cacheFolder(`${name.replaceAll(/[@/]/g, '-')}-${version}`);
  once(folder, () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`], folder);
  });
  return join(folder, 'node_modules', name);
}

/** Why a Go program cannot be had from the module proxy, or null if it can. */
export function goModuleProblem(path: string): string | null {
  try {
    run('go', ['list', '-m', `${path}@latest`], cacheFolder('go'));
    return null;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    if (said === '') return 'the Go toolchain is not installed';
    return said.includes('Forbidden') ? 'the Go module proxy here does not serve it' : (said.split('\n')[0] ?? '');
  }
}
