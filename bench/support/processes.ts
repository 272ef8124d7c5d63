import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// The processes of a measurement: nodes and routers, each by its own command, ended with the measurement.

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLOCK_TICKS_PER_SECOND = 100;

export interface Measured extends AsyncDisposable {
  readonly url: string;
  /** CPU time used so far by all its threads, in ms (resolution 10 ms). */
  cpuMs(): number;
  /** Anonymous resident memory in MB: its heap and stacks, without mapped files. */
  anonymousMb(): number;
  /** All resident memory in MB, mapped files of the runtime included. */
  residentMb(): number;
}

export interface MeasuredRouter extends Measured {
  readonly adminUrl: string;
  admin(path: string): Promise<Response>;
  /** Collects garbage in the main thread and returns its used heap in MB. */
  collectedHeapMb(): Promise<number>;
}

export async function startStubNode(serviceMs: number): Promise<Measured> {
  const child = spawn(process.execPath, [join(root, 'bench/support/stub-node.ts'), String(serviceMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await lineOf(child, /^(http:\S+)/);
  return measured(child, url);
}

/** Starts the compiled router without the inspector, which costs memory of its own. */
export async function startPlainRouter(nodeUrl: string): Promise<Measured> {
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const flags = ['--listen=127.0.0.1:0', '--admin-listen=127.0.0.1:0', `--data-dir=${dataDir}`, `--node=${nodeUrl}`];
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const url = await lineOf(child, /clients\s+(http:\S+)/);
  return measured(child, url);
}

/** Starts the compiled router (`npm run build` first) with these flags, free ports and a data directory of its own. */
export async function startMeasuredRouter(
  flags: readonly string[],
  nodes: readonly { readonly url: string; readonly maxConcurrent?: number }[],
): Promise<MeasuredRouter> {
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const config = join(dataDir, 'weir.yaml');
  const named = nodes.map(({ url, ...more }, index) => ({ name: `node-${index}`, url, ...more }));
  writeFileSync(config, JSON.stringify({ nodes: named }));
  const child = spawn(
    process.execPath,
    [
      '--inspect=127.0.0.1:0',
      join(root, 'dist/main.js'),
      'serve',
      '--listen=127.0.0.1:0',
      '--admin-listen=127.0.0.1:0',
      `--data-dir=${dataDir}`,
      `--config=${config}`,
      '--discovery-enabled=false',
      '--log-level=warn',
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, WEIR_ADMIN_TOKEN: 'bench' } },
  );
  child.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const inspector = lineOf(child, /(ws:\S+)/, 'stderr');
  const url = await lineOf(child, /clients\s+(http:\S+)/);
  const adminUrl = await lineOf(child, /admin\s+(http:\S+)/);
  const admin = (path: string): Promise<Response> =>
    fetch(adminUrl + path, { headers: { authorization: 'Bearer bench' } });
  await lineOf(child, /(ready)/);
  return {
    ...measured(child, url),
    adminUrl,
    admin,
    collectedHeapMb: async () => await collectedHeapMb(await inspector),
  };
}

function measured(child: ChildProcess, url: string): Measured {
  return {
    url,
    cpuMs: () => {
      // After the command's name, which may hold spaces: fields 14 and 15 of proc(5), user and system ticks.
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS_PER_SECOND;
    },
    anonymousMb: () => statusMb(child, 'RssAnon'),
    residentMb: () => statusMb(child, 'VmRSS'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A field of proc(5)'s status file, in MB. */
function statusMb(child: ChildProcess, field: string): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN) / 1024;
}

const seen = new WeakMap<object, string[]>();

/** The first capture of the first line that matches, of those printed already and those to come. */
async function lineOf(child: ChildProcess, pattern: RegExp, from: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  const stream = child[from];
  if (!stream) throw new Error(`nothing to read from ${from}`);
  let lines = seen.get(stream);
  if (!lines) {
    const kept: string[] = [];
    seen.set(stream, kept);
    createInterface({ input: stream }).on('line', (line) => {
      kept.push(line);
      stream.emit('weir-line');
    });
    lines = kept;
  }
  for (;;) {
    for (const line of lines) {
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) return found;
    }
    await Promise.race([
      once(stream, 'weir-line'),
      once(child, 'exit').then(() => {
        throw new Error(`it ended without printing ${pattern}: ${lines.join('\n')}`);
      }),
    ]);
  }
}

async function collectedHeapMb(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector);
  await once(socket, 'open');
  let id = 0;
  const call = (method: string): Promise<unknown> => {
    id += 1;
    const mine = id;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const onMessage = (event: MessageEvent): void => {
      const answer: unknown = JSON.parse(String(event.data));
      if (typeof answer !== 'object' || answer === null || !('id' in answer) || answer.id !== mine) return;
      socket.removeEventListener('message', onMessage);
      resolve('result' in answer ? answer.result : null);
    };
    socket.addEventListener('message', onMessage);
    socket.send(JSON.stringify({ id: mine, method }));
    return promise;
  };
  await call('HeapProfiler.collectGarbage');
  await call('HeapProfiler.collectGarbage');
  const usage = await call('Runtime.getHeapUsage');
  socket.close();
  const used = typeof usage === 'object' && usage !== null && 'usedSize' in usage ? Number(usage.usedSize) : NaN;
  return used / 1024 / 1024;
}
