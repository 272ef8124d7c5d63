import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureLlamaServer } from './llama-server.ts';
import { hasEnded, killTied, spawnTied, type TiedProcess } from './spawn-tied.ts';
import { makeTinyModel } from './tiny-model.ts';

// One llama.cpp process on a loopback port, with the tiny model. It does not outlive who started it. Nothing is read
// from the engine's log but for failure messages: whether it is ready is asked at /health, as anybody would.

const readyTimeoutMs = 60_000;
const pollMs = 20;
const portAttempts = 3;
const keptLogChars = 8_000;

export interface EngineOptions {
  /** Of the tiny model; see `TinyModelOptions`. */
  readonly layers: number;
  /** Requests computed at a time. */
  readonly slots: number;
  /** Tokens of context per slot. */
  readonly ctx: number;
  /** Default: a free one. */
  readonly port?: number;
  /** The name the model is served under. Default `tiny`. */
  readonly model?: string;
  /** Serve embeddings too. */
  readonly embeddings?: boolean;
  /** `listening` returns while the model may still be loading. Default `ready`. */
  readonly until?: 'listening' | 'ready';
}

export interface EngineSlot {
  readonly id: number;
  readonly isBusy: boolean;
  /** Tokens computed for its present or last request; null where it has had none. */
  readonly decoded: number | null;
}

export interface Engine {
  /** Without a trailing slash and without `/v1`. */
  readonly url: string;
  readonly pid: number;
  readonly model: string;
  /** Sends a signal, SIGKILL by default, and returns at once. */
  kill(signal?: NodeJS.Signals): void;
  /** What the engine says its slots are doing, by `/slots`. */
  slots(): Promise<EngineSlot[]>;
  /** The HTTP status of `/health`: 200 when ready, 503 while loading; null when nothing answers. */
  health(): Promise<number | null>;
  /** The end of what the engine printed. */
  log(): string;
  /** Kills the process and resolves when it is gone. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts an engine and waits (at most a minute) until it is ready. Rejects, with the engine's last words, when it
 * exits before, and with the reason when this machine can have no engine.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const server = await ensureLlamaServer();
  if ('absent' in server) throw new Error(`no llama.cpp server: ${server.absent}`);
  const model = await makeTinyModel({ layers: options.layers });
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const engine = launch(server.command, model, port, options);
    const failure = await untilUp(engine, options.until ?? 'ready');
    if (failure === null) return engine;
    await engine.close();
    // Between choosing a free port and the engine taking it, somebody else may have taken it.
    if (options.port !== undefined || attempt === portAttempts) throw new Error(`${failure}\n${engine.log()}`);
  }
}

function launch(command: string, modelPath: string, port: number, options: EngineOptions): Engine & LaunchedEngine {
  const name = options.model ?? 'tiny';
  const flags = ['--model', modelPath, '--alias', name, '--host', '127.0.0.1', '--port', String(port)];
  flags.push('--parallel', String(options.slots), '--ctx-size', String(options.ctx * options.slots));
  // One thread: engines share a machine's cores with each other and with the router under test.
  flags.push('--threads', '1', '--threads-batch', '1', '--slots', '--no-ui', '--offline');
  if (options.embeddings) flags.push('--embeddings', '--pooling', 'mean');
  // Without this an engine that aborts first attaches a debugger to itself, for seconds, where one is installed.
  const env = { ...process.env, GGML_NO_BACKTRACE: '1' };
  const child = spawnTied(command, flags, { env });
  const url = `http://127.0.0.1:${port}`;
  let printed = '';
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-keptLogChars);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  return {
    url,
    child,
    pid: child.pid ?? 0,
    model: name,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    slots: async () => readSlots(await (await fetch(`${url}/slots`)).json()),
    health: async () => {
      try {
        const answer = await fetch(`${url}/health`);
        await answer.arrayBuffer();
        return answer.status;
      } catch {
        return null;
      }
    },
    log: () => printed,
    close: () => killTied(child),
  };
}

interface LaunchedEngine {
  readonly child: TiedProcess;
}

/** Null once the engine is up, else why it will not be. */
async function untilUp(engine: Engine & LaunchedEngine, until: 'listening' | 'ready'): Promise<string | null> {
  for (let waitedMs = 0; waitedMs < readyTimeoutMs; waitedMs += pollMs) {
    if (hasEnded(engine.child)) return `the engine ended before it was ${until}`;
    const status = await engine.health();
    if (status === 200 || (status !== null && until === 'listening')) return null;
    await delay(pollMs);
  }
  return `the engine was not ${until} within ${readyTimeoutMs} ms`;
}

function readSlots(answer: unknown): EngineSlot[] {
  if (!Array.isArray(answer)) throw new Error('the engine listed no slots');
  return answer.map((slot: unknown) => {
    if (typeof slot !== 'object' || slot === null || !('id' in slot) || !('is_processing' in slot)) {
      throw new Error('the engine described a slot in an unknown way');
    }
    return { id: Number(slot.id), isBusy: slot.is_processing === true, decoded: decodedOf(slot) };
  });
}

function decodedOf(slot: object): number | null {
  const progress: unknown = 'next_token' in slot && Array.isArray(slot.next_token) ? slot.next_token[0] : null;
  if (typeof progress !== 'object' || progress === null || !('n_decoded' in progress)) return null;
  return Number(progress.n_decoded);
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
