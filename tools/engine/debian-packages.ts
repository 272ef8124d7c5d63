import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

// Debian's packages without installing them. What is wanted is only in the suite sid, and wants a newer C library than most machines
// have: so apt works on a private state that believes the machine empty, fetches the packages with everything they depend on,
// and they are unpacked into a folder, where programs run on the loader and libraries that came with them. No root, no change to the
// system. The packages come from the mirror this machine's own apt uses, checked by Debian's keyring; the project names no host.

const run = promisify(execFile);
const suite = 'sid';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const stepTimeoutMs = 180_000;

/** Unpacks the packages and all they depend on into `dir/root`. Rejects where they cannot be had. */
export async function unpackPackages(dir: string, packages: readonly string[]): Promise<void> {
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
  await run('apt-get', ['-qq', '-y', '--no-install-recommends', '--download-only', 'install', ...packages], options);
  const fetched = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  for (const name of fetched) {
    await run('dpkg-deb', ['-x', join(archives, name), join(dir, 'root')], { timeout: stepTimeoutMs });
  }
  await rm(apt, { recursive: true });
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
