import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { withCacheLock } from './cache-lock.ts';
import { unpackPackages } from './debian-packages.ts';

// A real engine for the tests: llama.cpp's server as Debian builds it, with the libraries that it wants, unpacked into a folder of the
// checkout (debian-packages.ts). Sid moves, so a version is not pinned: it is printed, and tests must not depend on the engine's
// wording. The cached tree is used for ever; delete `.cache/llama-server` to renew it. Where it cannot be had (another system,
// no apt, no network) callers get the reason, and decide whether to skip.

const run = promisify(execFile);
const packageName = 'llama.cpp-tools';
const triplet = 'x86_64-linux-gnu';
const stepTimeoutMs = 180_000;
const lockPatienceMs = 300_000;

/** Where generated engines and models are kept: `.cache/` in the checkout, ignored by git. */
export const cacheDir = resolve(import.meta.dirname, '../../.cache');

export type LlamaServer = { readonly command: string; readonly version: string } | { readonly absent: string };

/**
 * Finds the cached llama.cpp server or unpacks it first (about 10 s). `command` is a program that takes llama-server's
 * arguments; `absent` is a sentence that says why there is none. Never rejects.
 */
export async function ensureLlamaServer(cache: string = cacheDir): Promise<LlamaServer> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { absent: `the engine's packages are for Linux on x64, this is ${process.platform} on ${process.arch}` };
  }
  const tree = join(cache, 'llama-server');
  try {
    return (await readVersion(tree)) ?? (await withCacheLock(`${tree}.lock`, lockPatienceMs, () => provide(tree)));
  } catch (error) {
    return { absent: reasonOf(error) };
  }
}

async function provide(tree: string): Promise<LlamaServer> {
  const alreadyThere = await readVersion(tree);
  if (alreadyThere) return alreadyThere;
  // Unpacked aside and renamed, so that a process killed half-way leaves nothing that looks whole.
  const workDir = `${tree}.new`;
  await rm(workDir, { recursive: true, force: true });
  try {
    await unpack(workDir);
    await rm(tree, { recursive: true, force: true });
    await rename(workDir, tree);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  const server = await readVersion(tree);
  return server ?? { absent: `${packageName} was unpacked, and its server does not start here` };
}

async function unpack(dir: string): Promise<void> {
  await unpackPackages(dir, [packageName]);
  await writeFile(join(dir, 'llama-server'), launcher, { mode: 0o755 });
}

// The working directory matters: ggml looks for its CPU back ends there. `exec` keeps the process id for signals.
const launcher = `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
lib="$here/root/usr/lib/${triplet}"
cd "$lib/ggml/backends0" || exit 1
exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib:$lib/llama" "$here/root/usr/bin/llama-server" "$@"
`;

async function readVersion(tree: string): Promise<{ command: string; version: string } | null> {
  const command = join(tree, 'llama-server');
  if (!existsSync(command)) return null;
  try {
    const { stdout, stderr } = await run(command, ['--version'], { timeout: stepTimeoutMs });
    const line = `${stdout}\n${stderr}`.split('\n').find((text) => text.trim() !== '');
    return { command, version: line?.trim() ?? 'unknown' };
  } catch {
    // A tree that does not start (a broken cache, say) counts as none and is unpacked anew.
    return null;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'this machine has no apt, from which the engine would come';
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  return `the engine could not be fetched: ${said || error.message}`;
}
