import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findClient, folderOf } from './find.ts';
import { fetched, type FetchedClient } from './pins.ts';

// `node tools/clients/get.ts`: fetches the clients of pins.ts from npm's and Python's registries, about a gigabyte unpacked, so that a CI
// step of its own pays for it. No script of a package is run. Exit code 1, with the reason, where one is not to be had.

const run = promisify(execFile);
const timeout = 300_000;

async function fetchInto(folder: string, { registry, package: name, version }: FetchedClient): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (registry === 'npm') {
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    const flags = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--prefix', folder];
    await run('npm', ['install', ...flags, `${name}@${version}`], { cwd: folder, timeout });
    return;
  }
  await run('python3', ['-m', 'venv', folder], { timeout });
  const flags = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary=:all:'];
  await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', ...flags, `${name}==${version}`], { timeout });
}

/** Fetched aside and renamed, so that what was interrupted does not look whole. A virtual environment knows its own path and is not moved. */
async function get(client: FetchedClient): Promise<void> {
  if ('program' in findClient(client)) return;
  const folder = folderOf(client);
  const aside = client.registry === 'npm' ? `${folder}.new` : folder;
  await rm(aside, { recursive: true, force: true });
  try {
    await fetchInto(aside, client);
    if (aside !== folder) await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

for (const client of Object.values(fetched)) {
  const { name, version } = client;
  try {
    await get(client);
    const found = findClient(client);
    if ('absent' in found) throw new Error(found.absent);
    process.stdout.write(`${name} ${version}\n`);
  } catch (error) {
    process.stderr.write(`no ${name} ${version}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
