import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { killTied, spawnTied } from './spawn-tied.ts';
import { freePort } from './start-engine.ts';
import { makeTinyModel } from './tiny-model.ts';

// A real Ollama on a loopback port with the tiny model, in a home of its own that goes with it.

const run = promisify(execFile);
const upTimeoutMs = 30_000;
const pollMs = 50;
const commandTimeoutMs = 60_000;

export interface RunningOllama {
  readonly url: string;
  kill(): void;
  close(): Promise<void>;
}

/** Runs Ollama's own command line against `host`; gives what it printed on both streams. Rejects where it ends with an error. */
export async function ollamaCommand(command: string, host: string, args: readonly string[]): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'weir-ollama-home-'));
  try {
    const env = { ...process.env, OLLAMA_HOST: host, HOME: home };
    const running = run(command, args, { env, timeout: commandTimeoutMs });
    // It takes what it is piped for a part of the prompt.
    running.child.stdin?.end();
    const { stdout, stderr } = await running;
    return stdout + stderr;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Starts `command` and makes the models `names` of the tiny one. Rejects with its last words where it does not come up. */
export async function startOllama(command: string, names: readonly string[], layers: number): Promise<RunningOllama> {
  const home = await mkdtemp(join(tmpdir(), 'weir-ollama-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = { ...process.env, OLLAMA_HOST: url, OLLAMA_MODELS: join(home, 'models'), HOME: home };
  const child = spawnTied(command, ['serve'], { env });
  let printed = '';
  const keep = (chunk: Buffer): void => void (printed = (printed + chunk.toString()).slice(-8000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  /** Each model is computed by a process of its own, which would outlive its parent. */
  const killRunners = (): void => {
    for (const pid of childrenOf(child.pid ?? 0)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
  };
  const close = async (): Promise<void> => {
    killRunners();
    await killTied(child);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await untilUp(url);
    const modelfile = join(home, 'Modelfile');
    await writeFile(modelfile, `FROM ${await makeTinyModel({ layers })}\n`);
    for (const name of names) {
      await run(command, ['create', name, '-f', modelfile], { env, timeout: commandTimeoutMs });
    }
  } catch (error) {
    await close();
    throw new Error(`Ollama did not come up: ${printed}`, { cause: error });
  }
  const kill = (): void => {
    killRunners();
    child.kill('SIGKILL');
  };
  return { url, kill, close };
}

/** Processes that any thread of `pid` has started and that still run. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

async function untilUp(url: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < upTimeoutMs; waitedMs += pollMs) {
    const isUp = await fetch(`${url}/api/version`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await delay(pollMs);
  }
  throw new Error(`nothing answered at ${url} within ${upTimeoutMs} ms`);
}
