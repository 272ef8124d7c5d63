import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FetchedClient } from './pins.ts';

const cacheDir = resolve(import.meta.dirname, '../../.cache/clients');

/** Where a client is, or is to be, unpacked. */
export function folderOf({ registry, package: name, version }: FetchedClient): string {
  return join(cacheDir, `${registry}-${name.replaceAll(/[@/]/g, '_')}-${version}`);
}

/** The path of the client's program; `absent` is a sentence that says how to get it. */
export function findClient(client: FetchedClient): { readonly program: string } | { readonly absent: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { absent: `${client.name} is run on Linux on x64 only, this is ${process.platform} on ${process.arch}` };
  const program = join(folderOf(client), client.program);
  return existsSync(program)
    ? { program }
    : { absent: `${client.name} ${client.version} is not here; node tools/clients/get.ts fetches it` };
}
