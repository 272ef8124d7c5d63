import { resolve } from 'node:path';
import { spawnTied } from '../../tools/engine/spawn-tied.ts';
import { temporaryDirectory } from './settings.ts';

// The command line as a user runs it: a process of its own, known by its output and its exit code.

const checkout = resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON; throws where it is none. */
  json(): unknown;
}

export interface WeirCommandOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `weir ARGS…` to its end. Nothing of this process's environment named WEIR_* reaches it, and its data directory is empty. */
export async function weirCommand(args: readonly string[], { env = {} }: WeirCommandOptions = {}): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^WEIR_|proxy$/i.test(name));
  const cwd = temporaryDirectory();
  const child = spawnTied(process.execPath, [resolve(checkout, 'src/main.ts'), ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), HOME: cwd, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((end, fail) => {
    child.once('error', fail);
    child.once('close', end);
  });
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as unknown };
}

/** Runs commands against the router at this admin address, with the token of test/support/settings.ts. */
export function commandsOf(adminUrl: string): (...args: readonly string[]) => Promise<Ended> {
  return (...args) => weirCommand([...args, '--admin', adminUrl], { env: { WEIR_ADMIN_TOKEN: 'test-token' } });
}
