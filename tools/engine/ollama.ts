import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withCacheLock } from './cache-lock.ts';
import { unpackPackages } from './debian-packages.ts';
import { cacheDir } from './llama-server.ts';

// A real Ollama for the tests, built from its Go module (two to four minutes on two cores, once). A module carries no folder called
// `vendor`, and three headers lie in one: two come from Debian, the third, for audio, is replaced by one that decodes nothing. It
// computes on the CPU without the libraries that its releases bring, which is slow and enough for a tiny model. Pinned, since the tests
// hold its words. Where it cannot be had (no Go, no apt, no network) callers get the reason, and decide whether to skip.

const run = promisify(execFile);
const MODULE = 'github.com/ollama/ollama';
const VERSION = 'v0.17.4';
const HEADERS = ['nlohmann-json3-dev', 'libstb-dev'];
const fetchTimeoutMs = 300_000;
const buildTimeoutMs = 1_200_000;
const mostOutput = 64 * 1024 * 1024;

export type Ollama = { readonly command: string; readonly version: string } | { readonly absent: string };

/** Finds the cached program or builds it first, where `mayBuild`. `absent` is a sentence that says why there is none. Never rejects. */
export async function ensureOllama(mayBuild: boolean, cache: string = cacheDir): Promise<Ollama> {
  const command = join(cache, `ollama-${VERSION}`, 'ollama');
  if (existsSync(command)) return { command, version: VERSION };
  if (!mayBuild) return { absent: `Ollama ${VERSION} is not here; node tools/engine/get.ts --ollama builds it` };
  try {
    await mkdir(cache, { recursive: true });
    await withCacheLock(`${join(cache, 'ollama')}.lock`, buildTimeoutMs, () => build(join(cache, `ollama-${VERSION}`)));
    return { command, version: VERSION };
  } catch (error) {
    return { absent: `Ollama ${VERSION} could not be built: ${reasonOf(error)}` };
  }
}

async function build(dir: string): Promise<void> {
  if (existsSync(dir)) return;
  // Built aside and renamed, so that a process killed half-way leaves nothing that looks whole.
  const work = `${dir}.new`;
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(work, { recursive: true });
    const { stdout } = await run('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], {
      cwd: work,
      timeout: fetchTimeoutMs,
    });
    const told: unknown = JSON.parse(stdout);
    if (typeof told !== 'object' || told === null || !('Dir' in told) || typeof told.Dir !== 'string') {
      throw new Error('go told no folder of the module');
    }
    const source = join(work, 'source');
    await cp(told.Dir, source, { recursive: true });
    // The module cache is read-only.
    await run('chmod', ['-R', 'u+w', source]);
    await addHeaders(work, join(source, 'llama', 'llama.cpp', 'vendor'));
    const options = { cwd: source, timeout: buildTimeoutMs, maxBuffer: mostOutput };
    await run('go', ['build', '-o', join(work, 'ollama'), '.'], options);
    await rm(source, { recursive: true });
    await rename(work, dir);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function addHeaders(work: string, vendor: string): Promise<void> {
  await unpackPackages(work, HEADERS);
  const include = join(work, 'root', 'usr', 'include');
  await cp(join(include, 'nlohmann'), join(vendor, 'nlohmann'), { recursive: true });
  await cp(join(include, 'stb'), join(vendor, 'stb'), { recursive: true });
  await cp(join(import.meta.dirname, 'no-audio.h'), join(vendor, 'miniaudio', 'miniaudio.h'));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'this machine has no Go, or no apt';
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  return said.slice(-500) || error.message;
}
