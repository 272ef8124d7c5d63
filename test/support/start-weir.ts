import { renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hasEnded, killTied, spawnTied, type TiedProcess } from '../../tools/engine/spawn-tied.ts';
import { temporaryDirectory } from './settings.ts';
import { until } from './until.ts';

// The router as a user runs it: a process of its own, started by the command line with a configuration file, known only
// by what it prints and answers. Ports are 0, so that the addresses are those it prints. Nothing of this process's
// environment named WEIR_* reaches it.

const checkout = resolve(import.meta.dirname, '../..');
const startTimeoutMs = 30_000;
const adminToken = 'test-admin-token';

export interface WeirOptions {
  /** `listening`: as soon as it has printed its addresses. `ready` (default): once /readyz says 200. */
  readonly until?: 'listening' | 'ready';
  readonly env?: Readonly<Record<string, string>>;
  /** More flags of `weir serve`. */
  readonly flags?: readonly string[];
}

export interface Weir {
  /** Of the clients' listener, without a trailing slash and without `/v1`. */
  readonly url: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  readonly process: TiedProcess;
  /** Its configuration file. */
  readonly file: string;
  /** Replaces the configuration file, in one step; written as for `startWeir`. */
  configure(config: object): void;
  /** Calls the admin API with the token; `path` starts with `/`. A body given as an object is sent as JSON. */
  admin(path: string, init?: { readonly method?: string; readonly body?: object }): Promise<Response>;
  /** Sends a signal, SIGKILL by default, and returns at once. */
  kill(signal?: NodeJS.Signals): void;
  /** Asks it to stop as a supervisor does (SIGTERM) and resolves with its exit code; null if it had to be killed. */
  stop(): Promise<number | null>;
  /** All it printed so far, both streams. */
  output(): string;
}

/**
 * Starts `weir serve` with `config` (written as in the configuration file; ports, `dataDir` and `discovery: off` are
 * filled in) and waits until it is ready. Rejects with what it printed when it ends before or takes too long.
 */
export async function startWeir(config: object = {}, options: WeirOptions = {}): Promise<Weir> {
  const dataDir = temporaryDirectory();
  const file = join(dataDir, 'weir.yaml');
  const listen = '127.0.0.1:0';
  const configure = (changed: object): void => {
    const whole = { listen, admin: { listen }, dataDir, discovery: { enabled: false }, ...changed };
    // JSON is YAML, and needs no library here.
    writeFileSync(`${file}.new`, JSON.stringify(whole, null, 2));
    renameSync(`${file}.new`, file);
  };
  configure(config);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR_')));
  const child = spawnTied(
    process.execPath,
    [join(checkout, 'src/main.ts'), 'serve', '--config', file, ...(options.flags ?? [])],
    { cwd: dataDir, env: { ...env, WEIR_ADMIN_TOKEN: adminToken, ...options.env } },
  );
  let printed = '';
  const keep = (chunk: Buffer): void => {
    printed += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  const address = async (name: string): Promise<string> =>
    until(
      () => {
        if (hasEnded(child)) throw new Error(`the router ended before it listened:\n${printed}`);
        return new RegExp(`^ *${name} +(https?://\\S+)`, 'm').exec(printed)?.[1];
      },
      { what: () => `the router's ${name} address; it printed:\n${printed}`, withinMs: startTimeoutMs },
    );
  try {
    const url = await address('clients');
    const adminUrl = await address('admin');
    if (options.until !== 'listening') {
      await until(() => isReady(url), { what: () => `/readyz; it printed:\n${printed}`, withinMs: startTimeoutMs });
    }
    return {
      url,
      adminUrl,
      adminToken,
      process: child,
      file,
      configure,
      admin: (path, init = {}) => callAdmin(`${adminUrl}${path}`, init),
      kill: (signal = 'SIGKILL') => void child.kill(signal),
      stop: () => stop(child),
      output: () => printed,
    };
  } catch (error) {
    await killTied(child);
    throw error;
  }
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`);
  await answer.arrayBuffer();
  return answer.ok;
}

function callAdmin(url: string, init: { readonly method?: string; readonly body?: object }): Promise<Response> {
  const headers: Record<string, string> = { authorization: `Bearer ${adminToken}` };
  if (!init.body) return fetch(url, { method: init.method ?? 'GET', headers });
  headers['content-type'] = 'application/json';
  return fetch(url, { method: init.method ?? 'POST', headers, body: JSON.stringify(init.body) });
}

async function stop(child: TiedProcess): Promise<number | null> {
  if (!hasEnded(child)) {
    child.kill('SIGTERM');
    try {
      await until(() => hasEnded(child), { what: 'the router to stop', withinMs: 35_000 });
    } catch {
      await killTied(child);
    }
  }
  return child.exitCode;
}
