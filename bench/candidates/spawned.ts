import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';
import { sleep } from '../far-side/closed-loop.ts';
import { CHAT, type Target } from '../far-side/target.ts';
import { cpuMsByThread, cpuMsOf, memoryOf, treeOf } from '../support/proc.ts';

// A candidate's process on its core. It has started when it answers a request, whatever it says of itself.

export const ROUTER_CORE = 0;
export const LOAD_CORE = 1;
const STEP_MS = 10;

export interface Command {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes, one file for stdout (its log) and one for stderr. */
  readonly folder: string;
  readonly target: Omit<Target, 'cpuMs' | 'memory'>;
  readonly patienceMs?: number;
  /** The status that shows that it runs. */
  readonly ready?: number;
}

export interface Spawned extends AsyncDisposable {
  readonly target: Target;
  readonly startMs: number;
}

export async function spawnPinned(command: Command): Promise<Spawned> {
  const { folder, name } = command;
  const out = openSync(join(folder, 'stdout.log'), 'a');
  const err = openSync(join(folder, 'stderr.log'), 'a');
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', String(ROUTER_CORE), ...command.argv], {
    cwd: folder,
    stdio: ['ignore', out, err],
    env: { ...process.env, ...command.env },
  });
  // Nothing started here outlives the measurement, however that ends.
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  closeSync(out);
  closeSync(err);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: taskset is not here; install util-linux`);
  let pids: readonly number[] = [pid];
  const running: Spawned = {
    target: {
      ...command.target,
      cpuMs: () => cpuMsOf(pids),
      memory: () => memoryOf(pids),
      cpuMsByThread: () => cpuMsByThread(pids),
    },
    startMs: await answering(command, child, startedAt),
    [Symbol.asyncDispose]: () => stop(child),
  };
  pids = treeOf(pid);
  return running;
}

async function answering(command: Command, child: ChildProcess, startedAt: number): Promise<number> {
  const { target, ready = 200, patienceMs = 20_000 } = command;
  let last = 'no answer';
  while (performance.now() - startedAt < patienceMs) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    try {
      const answer = await request(target.url + target.basePath + CHAT, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...target.headers },
        body: JSON.stringify({ model: target.model, messages: [{ role: 'user', content: '#000000000#' }] }),
      });
      const text = await answer.body.text();
      if (answer.statusCode === ready) return performance.now() - startedAt;
      last = `${answer.statusCode} ${text.slice(0, 300)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(STEP_MS);
  }
  await stop(child);
  const said = ['stderr.log', 'stdout.log'].map((file) => readFileSync(join(command.folder, file), 'utf8').slice(-600));
  throw new Error(`${command.name} did not start: ${last}\n${said.join('\n').trim()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const children = treeOf(child.pid).slice(1);
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
  await once(child, 'exit');
  clearTimeout(timer);
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone with its parent.
    }
  }
}

/** A port of loopback that was free a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
