import { hostname, homedir } from 'node:os';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AgentEnd, runAgent } from '../../agent/agent.ts';
import { EngineWatch, type EngineState } from '../../agent/engine-watch.ts';
import { gpuReader } from '../../agent/gpu/gpus.ts';
import { agentIdentity } from '../../agent/identity.ts';
import { commandLog, fileLog, type LogSource } from '../../agent/log-source.ts';
import { MachineReader } from '../../agent/machine.ts';
import { RouterLink } from '../../agent/router-link.ts';
import { TunnelLoop } from '../../agent/tunnel-loop.ts';
import type { AgentRegistration } from '../../fleet/agent-words.ts';
import { createHttpClient, type HttpClient } from '../../http-client/http-client.ts';
import { type DataDirLock, DataDirError, lockDataDir } from '../data-dir.ts';
import { exitCodes, Failure } from '../failure.ts';
import { advertisedUrl, readEngineUrl, readRouterUrl } from './addresses.ts';
import { engineProbe, engineSearch } from './find-engine.ts';
import type { Host, Options } from '../commands/admin-command.ts';
import type { AgentHost } from '../commands/agent.ts';

/** Runs an agent until it is told to stop. Throws `Failure`. */
export async function act(options: Options, host: AgentHost): Promise<void> {
  const router = readRouterUrl(options.text('router') ?? '', options.isSet('insecure'));
  const token = options.text('token') ?? host.env['WEIR_AGENT_TOKEN'] ?? '';
  if (token === '') {
    throw new Failure(
      exitCodes.usage,
      'No registration token: set WEIR_AGENT_TOKEN. The router makes one: weir tokens add LABEL',
    );
  }
  const ca = readCa(options.text('ca'), host.cwd);
  const dataDir = resolve(
    host.cwd,
    options.text('dataDir') ?? (host.env['WEIR_AGENT_DATA_DIR'] || join(homedir(), '.weir-agent')),
  );
  const lock = lockOrFail(dataDir);
  const httpClient = createHttpClient({ maxIdlePerNode: 2, idleTimeoutMs: 20_000, tcpKeepAliveMs: 30_000 }, host.clock);
  const log = logSource(options, host);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) host.signals.on(signal, () => stopping.abort());
  try {
    const link = new RouterLink({ httpClient, router, token, identity: identityOrFail(dataDir), ca });
    report(await runAgent(wholeAgent({ options, host, router, ca, httpClient, link, log }), stopping.signal));
  } finally {
    log?.stop();
    httpClient.close();
    lock.release();
  }
}

interface Parts {
  readonly options: Options;
  readonly host: AgentHost;
  readonly router: URL;
  readonly ca: string | null;
  readonly httpClient: HttpClient;
  readonly link: RouterLink;
  readonly log: LogSource | null;
}

function wholeAgent({ options, host, router, ca, httpClient, link, log }: Parts): Parameters<typeof runAgent>[0] {
  const { clock, terminal, version } = host;
  const key = host.env['WEIR_ENGINE_KEY'] ?? null;
  const written = options.text('engine') ?? 'auto';
  const ownPort = router.port === '' ? null : Number(router.port);
  const engine = new EngineWatch({
    url: written === 'auto' ? null : readEngineUrl(written),
    probe: engineProbe(httpClient, key),
    search: engineSearch(httpClient, key, ownPort),
  });
  const say = (text: string): void => host.stderr(`weir agent: ${text}\n`);
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => terminal.sleep(ms, signal);
  const engineUrl = (): string | null => engine.last?.url ?? null;
  const common = { clock, random: Math.random, sleep, say };
  return {
    ...common,
    link,
    engine,
    log,
    machine: new MachineReader(gpuReader(process.platform)),
    tunnel: options.isSet('tunnel') ? new TunnelLoop({ ...common, router, ca, link, engineUrl }) : null,
    agentVersion: version,
    registrationOf: (seen) => registrationOf(options, seen, key, version),
  };
}

function registrationOf(
  options: Options,
  { url }: EngineState,
  key: string | null,
  agentVersion: string,
): AgentRegistration {
  const viaTunnel = options.isSet('tunnel');
  const maxConcurrent = options.number('maxConcurrent');
  const tags = options.texts('tag');
  return {
    name: options.text('name') ?? hostname().split('.')[0] ?? 'node',
    url: viaTunnel ? url : advertisedUrl(options.text('advertise'), url),
    viaTunnel,
    engine: 'auto',
    ...(maxConcurrent === null ? {} : { maxConcurrent }),
    ...(key === null || key === '' ? {} : { apiKey: key }),
    ...(tags.length === 0 ? {} : { tags }),
    agentVersion,
  };
}

function report(end: AgentEnd): void {
  if (end.kind === 'stopped') return;
  const isToken = end.status === 401 || end.status === 403;
  throw new Failure(
    isToken ? exitCodes.unauthorized : exitCodes.failed,
    `The router refused this agent: ${end.message}`,
  );
}

function logSource(options: Options, host: Host): LogSource | null {
  const file = options.text('logs');
  const command = options.text('logsCommand');
  if (file !== null && command !== null) throw new Failure(exitCodes.usage, 'Give --logs or --logs-command, not both.');
  if (file !== null) return fileLog(resolve(host.cwd, file));
  return command === null ? null : commandLog(command, host.clock);
}

function lockOrFail(dataDir: string): DataDirLock {
  try {
    return lockDataDir(dataDir);
  } catch (error) {
    if (error instanceof DataDirError) throw new Failure(exitCodes.failed, error.message);
    throw error;
  }
}

function identityOrFail(dataDir: string): string {
  try {
    return agentIdentity(dataDir);
  } catch (error) {
    throw new Failure(exitCodes.failed, error instanceof Error ? error.message : String(error));
  }
}

function readCa(path: string | null, cwd: string): string | null {
  if (path === null) return null;
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch {
    throw new Failure(exitCodes.usage, `--ca: ${path} cannot be read; write the path of a PEM file`);
  }
}
