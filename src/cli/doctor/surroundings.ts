import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { showAddress } from '../../config/values/addresses.ts';
import { isNodeError } from '../../config/values/node-error.ts';
import type { Address } from '../../fleet/settings.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

// What of this machine keeps a router from starting or from serving many: its data directory, its ports, its limit of open files, and
// variables that send local clients through a proxy. Nothing is changed by looking, the data directory's lock included.

/** The pid of the router that uses the data directory, as it left it; null where none does. */
export function pidOf(dataDir: string): string | null {
  try {
    return /^\d+/.exec(readFileSync(join(dataDir, 'weir.pid'), 'utf8'))?.[0] ?? null;
  } catch {
    return null;
  }
}

export function dataDirectory(dir: string): Finding {
  const check = 'data directory';
  try {
    const status = statSync(dir);
    if (!status.isDirectory()) return problem(check, `${dir} is a file`, 'Remove it, or name another with --data-dir.');
    if (status.uid !== process.getuid?.() && process.getuid?.() !== 0) {
      return problem(
        check,
        `${dir} belongs to another user`,
        'Run weir as that user, or name another with --data-dir.',
      );
    }
    if ((status.mode & 0o700) !== 0o700) {
      return problem(check, `${dir} may not be written by its own user`, `Run: chmod 700 ${dir}`);
    }
    if ((status.mode & 0o077) !== 0) {
      return warning(check, `${dir} is open to other users`, `The next start closes it; or run: chmod 700 ${dir}`);
    }
    return ok(check, dir);
  } catch (error) {
    const code = isNodeError(error) ? error.code : String(error);
    if (code === 'ENOENT') return ok(check, `${dir} is not there yet; the first start makes it below ${dirname(dir)}`);
    return problem(check, `${dir} cannot be read (${code})`, 'Name another with --data-dir.');
  }
}

/** Whether a router could listen there now. Resolves when the port is free again. */
export async function port(setting: string, address: Address): Promise<Finding> {
  const check = `port of ${setting}`;
  const shown = showAddress(address);
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
    });
    await new Promise((resolve) => server.close(resolve));
    return ok(check, `${shown} is free`);
  } catch (error) {
    const code = isNodeError(error) ? error.code : '';
    const reasons: Readonly<Record<string, readonly [string, string]>> = {
      EADDRINUSE: [
        `${shown} is taken by another program`,
        `Find it with: ss -ltnp 'sport = :${address.port}'. Stop it, or set another ${setting}.`,
      ],
      EADDRNOTAVAIL: [`${address.host} is no address of this machine`, `Set another ${setting}.`],
      EACCES: [`${shown} may not be used by this user`, `Set ${setting} to a port from 1024 on.`],
      ENOTFOUND: [`${address.host} has no address`, `Set ${setting} to an address of this machine.`],
    };
    const [what, advice] = reasons[code ?? ''] ?? [`${shown} cannot be used (${code})`, `Set another ${setting}.`];
    return problem(check, what, advice);
  }
}

/** A waiter holds one file, a running request two; some are the process's own. */
const OWN_FILES = 100;

/** `pid`: the running router, or null for what a new one would have. Null where the system does not tell. */
export function openFiles(maxWaiters: number, slots: number, pid: string | null): Finding | null {
  const limit = fileLimit(pid ?? 'self');
  if (limit === null) return null;
  const check = 'open files';
  const needed = maxWaiters + 2 * slots + OWN_FILES;
  const what = `at most ${limit}; a full waiting room and all slots in use take some ${needed}`;
  if (limit >= needed) return ok(check, what);
  return warning(check, what, 'Raise the limit: LimitNOFILE=65536 in its systemd unit, or ulimit -n 65536 before it.');
}

function fileLimit(pid: string): number | null {
  try {
    const soft = /^Max open files +(\w+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1];
    if (soft === undefined) return null;
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}

/** Clients on this machine obey these variables; without an exception they look for the router at the proxy. */
export function proxyVariables(env: Readonly<Record<string, string | undefined>>, listen: Address): Finding {
  const check = 'proxy variables';
  const set = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'].filter((name) => (env[name] ?? '') !== '');
  if (set.length === 0) return ok(check, 'none is set');
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host;
  const exceptions = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[\s,]+/);
  if (exceptions.includes('*') || exceptions.includes(host)) return ok(check, `${set.join(', ')}, but not for ${host}`);
  return warning(
    check,
    `${set.join(', ')} sends clients on this machine to a proxy, for ${host} too`,
    `Set NO_PROXY=${host},localhost for clients. Weir itself uses no proxy: nodes and providers must be reachable without one.`,
  );
}
