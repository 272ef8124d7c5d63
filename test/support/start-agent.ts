import { resolve } from 'node:path';
import { hasEnded, killTied, spawnTied } from '../../tools/engine/spawn-tied.ts';
import type { Settings } from '../../src/fleet/settings.ts';
import { temporaryDirectory } from './settings.ts';
import { until } from './until.ts';

// `weir agent` as a process of its own, known by what it prints and how it ends.

const checkout = resolve(import.meta.dirname, '../..');

export interface AgentProcess extends AsyncDisposable {
  readonly dataDir: string;
  /** All it printed so far. */
  output(): string;
  /** Resolves when it has printed that. */
  says(what: RegExp): Promise<void>;
  kill(signal?: NodeJS.Signals): void;
  /** Resolves with its exit code when it has ended. */
  ended(): Promise<number | null>;
}

export interface AgentOptions {
  readonly router: string;
  readonly token: string;
  readonly engine: string;
  readonly name: string;
  readonly dataDir?: string;
  readonly flags?: readonly string[];
  /** Command and arguments that run it, such as those that enter a network namespace. */
  readonly within?: readonly string[];
}

export function startAgent({
  router,
  token,
  engine,
  name,
  flags = [],
  within = [],
  ...given
}: AgentOptions): AgentProcess {
  const dataDir = given.dataDir ?? temporaryDirectory();
  const weir = [process.execPath, resolve(checkout, 'src/main.ts'), 'agent'];
  const wanted = ['--router', router, '--engine', engine, '--name', name, '--data-dir', dataDir, ...flags];
  const [command = '', ...args] = [...within, ...weir, ...wanted];
  const inherited = Object.entries(process.env).filter(([key]) => !/^WEIR_|proxy$/i.test(key));
  const env = { ...Object.fromEntries(inherited), HOME: dataDir, WEIR_AGENT_TOKEN: token };
  const child = spawnTied(command, args, { cwd: dataDir, env });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = async (): Promise<number | null> => {
    await until(() => hasEnded(child), { what: () => `the agent to end; it printed:\n${printed}`, withinMs: 20_000 });
    return child.exitCode;
  };
  return {
    dataDir,
    output: () => printed,
    says: async (what) => {
      const text = `the agent ${name} to say ${String(what)}`;
      await until(
        () => {
          if (hasEnded(child) && !what.test(printed)) throw new Error(`the agent ended:\n${printed}`);
          return what.test(printed);
        },
        { what: () => `${text}; it printed:\n${printed}`, withinMs: 20_000 },
      );
    },
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    ended,
    [Symbol.asyncDispose]: () => killTied(child),
  };
}

/** Settings of a router where agents join on a free port, with heartbeats as quick as they get. */
export const quickAgents: Settings['agents'] = {
  listen: { host: '127.0.0.1', port: 0 },
  tls: null,
  heartbeatMs: 200,
  timeoutMs: 2000,
};
