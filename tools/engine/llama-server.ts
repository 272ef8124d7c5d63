import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { withCacheLock } from './cache-lock.ts';

// A real engine for the tests: llama.cpp's server as Debian builds it. Only the suite sid has it, and it wants a newer
// C library than most machines have, so nothing is installed: apt works on a private state that believes the machine
// empty, fetches the package with everything it depends on, and the packages are unpacked into a folder of the
// checkout, where the program runs on the loader and libraries that came with it. No root, no change to the system.
//
// The packages come from the mirror this machine's own apt uses, checked by Debian's keyring; the project names no
// host. Sid moves, so a version is not pinned: it is printed, and tests must not depend on the engine's wording. The
// cached tree is used for ever; delete `.cache/llama-server` to renew it. Where it cannot be had (another system, no
// apt, no network) callers get the reason, and decide whether to skip.

const run = promisify(execFile);
const suite = 'sid';
const packageName = 'llama.cpp-tools';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
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
  if (!existsSync(keyring)) throw new Error(`there is no Debian keyring at ${keyring}; install debian-archive-keyring`);
  const { stdout: targets } = await run('apt-get', ['indextargets', '--format', '$(CODENAME) $(REPO_URI)']);
  const mirror = chooseMirror(targets);
  if (!mirror) throw new Error('apt has no Debian source configured on this machine');
  const apt = join(dir, 'apt');
  const archives = join(apt, 'cache', 'archives');
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await writeFile(join(apt, 'status'), '');
  await writeFile(join(apt, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(apt, 'apt.conf'), aptSettings(apt));
  const options = { env: { ...process.env, APT_CONFIG: join(apt, 'apt.conf') }, timeout: stepTimeoutMs };
  await run('apt-get', ['-qq', 'update'], options);
  await run('apt-get', ['-qq', '-y', '--no-install-recommends', '--download-only', 'install', packageName], options);
  const fetched = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  for (const name of fetched) {
    await run('dpkg-deb', ['-x', join(archives, name), join(dir, 'root')], { timeout: stepTimeoutMs });
  }
  await rm(apt, { recursive: true });
  await writeFile(join(dir, 'llama-server'), launcher, { mode: 0o755 });
}

/**
 * The mirror to fetch from: the first repository of `apt-get indextargets --format '$(CODENAME) $(REPO_URI)'` that is
 * not the security one, which carries no sid; null where there is none.
 */
export function chooseMirror(indexTargets: string): string | null {
  for (const line of indexTargets.split('\n')) {
    const [codename, uri] = line.trim().split(' ');
    if (codename && uri && !codename.endsWith('-security')) return uri;
  }
  return null;
}

/** An apt that knows nothing of this machine's packages, keeps all it writes under `apt` and needs no root. */
function aptSettings(apt: string): string {
  return [
    `Dir::State "${apt}";`,
    `Dir::State::lists "${apt}/lists";`,
    `Dir::State::status "${apt}/status";`,
    `Dir::Cache "${apt}/cache";`,
    `Dir::Etc::sourcelist "${apt}/sources.list";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    // Else an update that reached no mirror counts as done, and the failure reads as an unknown package.
    'APT::Update::Error-Mode "any";',
    'APT::Architecture "amd64";',
    'APT::Sandbox::User "root";',
    'Debug::NoLocking "true";',
    '',
  ].join('\n');
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
