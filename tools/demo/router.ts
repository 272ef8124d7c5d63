import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded, killTied, spawnTied, type TiedProcess } from '../engine/spawn-tied.ts';
import type { DemoNode } from './fleet.ts';
import { type RouterFigures, readFigures } from './figures.ts';

// The router as any user starts it: a process of its own, by its command line, with a configuration file. Only its waiting room is
// smaller than usual, so that a crowd which one machine can play fills it.

export const MAX_WAITERS = 20;
const QUEUE_TIMEOUT = '5s';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const checkout = resolve(import.meta.dirname, '../..');

export interface DemoRouter {
  readonly url: string;
  figures(): Promise<RouterFigures>;
  /** What it printed, for when something goes wrong. */
  output(): string;
  /** Stops it and removes its files; kills it if it does not stop by itself. */
  stop(): Promise<void>;
}

/** Starts the router over these nodes and waits until it is ready; rejects with what it printed if it does not get there. */
export async function startRouter(nodes: readonly DemoNode[]): Promise<DemoRouter> {
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-demo-'));
  const file = join(dataDir, 'weir.yaml');
  const token = randomBytes(24).toString('base64url');
  const listen = '127.0.0.1:0';
  const config = {
    listen,
    admin: { listen },
    dataDir,
    discovery: { enabled: false },
    queue: { maxWaiters: MAX_WAITERS, timeout: QUEUE_TIMEOUT },
    log: { level: 'error' },
    nodes: nodes.map(({ name, url, slots }) => ({ name, url, maxConcurrent: slots })),
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR_'));
  const child = spawnTied(process.execPath, [join(checkout, 'src/main.ts'), 'serve', '--config', file], {
    cwd: dataDir,
    env: { ...Object.fromEntries(inherited), WEIR_ADMIN_TOKEN: token },
  });
  let printed = '';
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-8000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  const removeFiles = (): void => rmSync(dataDir, { recursive: true, force: true });
  // For an exit that does not wait for `stop`, as on a second Ctrl-C.
  process.once('exit', removeFiles);
  const stop = async (): Promise<void> => {
    await stopChild(child);
    removeFiles();
    process.off('exit', removeFiles);
  };
  const addressOf = (name: string): string | undefined =>
    new RegExp(`^ *${name} +(https?://\\S+)`, 'm').exec(printed)?.[1];
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (hasEnded(child)) break;
    const url = addressOf('clients');
    const adminUrl = addressOf('admin');
    if (url !== undefined && adminUrl !== undefined && (await isReady(url))) {
      return { url, figures: () => readFigures(adminUrl, token), output: () => printed, stop };
    }
    await delay(POLL_MS);
  }
  await stop();
  throw new Error(`the router did not become ready; it printed:\n${printed.trim()}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function stopChild(child: TiedProcess): Promise<void> {
  if (hasEnded(child)) return;
  const gone = new Promise((settle) => child.once('exit', settle));
  child.kill('SIGTERM');
  const patience = new AbortController();
  await Promise.race([gone, delay(STOP_TIMEOUT_MS, null, { signal: patience.signal, ref: false })]);
  patience.abort();
  await killTied(child);
}
