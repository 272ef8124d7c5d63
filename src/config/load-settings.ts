import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ListenerTls, NodeSettings, Settings } from '../fleet/settings.ts';
import { doubtfulNames } from './doubtful-names.ts';
import { readAliases } from './entries/aliases.ts';
import { readDnsSources, readNodeFile } from './entries/discovery.ts';
import { readDistribution } from './entries/distribution.ts';
import { readKeys } from './entries/keys.ts';
import { nameNodes, readNodeText } from './entries/named-nodes.ts';
import { readModelTimeouts } from './entries/model-timeouts.ts';
import { readNodes, type NodeDraft } from './entries/nodes.ts';
import { readProviders } from './entries/providers.ts';
import { Problems } from './problems.ts';
import { resolveRow, type InForce, type Origin, type Sources } from './resolve.ts';
import { doubtful, reportUnable, reportUnsafe } from './safety.ts';
import type { Environment } from './sources/environment.ts';
import { readYamlFile } from './sources/yaml-file.ts';
import { table, type Row } from './table.ts';
import { reportUnknownKeys, reportUnknownVariables, usableOverrides } from './unknown-keys.ts';
import type { Raw } from './values/kinds.ts';

// The whole way from file, variables and flags to one validated value. Nothing else in the project reads any of the
// three. Unset is told from wrong everywhere, and all that is wrong is told together.

export interface SettingsRequest {
  /** `--config`; without it WEIR_CONFIG counts, then weir.yaml or weir.yml in `cwd`. */
  readonly configFile: string | null;
  /** By setting's path, as typed. */
  readonly flags: ReadonlyMap<string, string>;
  /** Every `--node`, as typed. */
  readonly nodes: readonly string[];
  readonly env: Environment;
  /** By setting's path: what was set through the admin API, as written there. */
  readonly overrides?: ReadonlyMap<string, Raw>;
  readonly cwd: string;
  /** Epoch ms. */
  readonly now: number;
  /** The router runs already; what it read once is to be there. */
  readonly isRunning?: boolean;
  /** Where the router is to run; default here. */
  readonly platform?: NodeJS.Platform;
}

export interface LoadedSettings {
  readonly settings: Settings;
  readonly origins: ReadonlyMap<string, Origin>;
  /** Every setting for people, secrets masked, in the file's order. */
  readonly inForce: readonly InForce[];
  readonly warnings: readonly string[];
  /** The configuration file in use, as named by the user, or null. */
  readonly file: string | null;
}

export interface UnusableSettings {
  /** One line each: where it is, what is wrong, what to write. */
  readonly problems: readonly string[];
}

/** Loads and validates; never throws for anything a user wrote. */
export async function loadSettings(request: SettingsRequest): Promise<LoadedSettings | UnusableSettings> {
  const { env, cwd, flags, overrides = new Map<string, Raw>() } = request;
  const problems = new Problems();
  const inForce: InForce[] = [];
  const fileName = configFileName(request);
  const file = fileName === null ? null : await readYamlFile(fileName, cwd, env, problems);
  if (file) reportUnknownKeys(file, problems);
  const warnings = [...reportUnknownVariables(env, problems)];

  const { keys, warnings: keyWarnings } = file ? readKeys(file, problems, inForce) : { keys: [], warnings: [] };
  const sources = { file, env, flags, cwd, overrides: usableOverrides(overrides, problems) };
  const single = settingsOf(sources, keys, problems, inForce);
  const settings: Settings = {
    ...single,
    discovery: {
      ...single.discovery,
      dns: file ? readDnsSources(file, problems, inForce) : [],
    },
    modelTimeouts: file ? readModelTimeouts(file, problems, inForce) : {},
    distribution: file ? readDistribution(file, problems, inForce) : [],
    nodes: nameNodes(
      [
        ...nodeDrafts(request, file ? readNodes(file, env, problems) : [], problems),
        ...readProviders(sources, problems, inForce),
      ],
      problems,
      inForce,
    ),
    aliases: file ? readAliases(file, problems, inForce) : [],
  };
  const found = await foundNodes(settings, request, problems, warnings);
  reportUnsafe(settings, problems);
  reportUnable(settings, request.platform ?? process.platform, problems);
  if (problems.any) return { problems: problems.lines() };
  warnings.push(...keyWarnings, ...doubtful(settings, request.now), ...doubtfulNames(settings));
  const origins = new Map(inForce.map(({ path, origin }) => [path, origin]));
  const discovery = { ...settings.discovery, nodes: found };
  return { settings: { ...settings, discovery }, origins, inForce, warnings, file: fileName };
}

function settingsOf(
  sources: Sources,
  keys: Settings['auth']['keys'],
  problems: Problems,
  inForce: InForce[],
): Omit<Settings, 'nodes' | 'modelTimeouts' | 'distribution' | 'aliases'> {
  const maybe = <T>(row: Row<T>): T | null => resolveRow(row, sources, problems, inForce);
  const read = <T>(row: Row<T>): T => {
    const value = maybe(row);
    // Only a row without a fallback resolves to null, and those are read by `maybe`.
    if (value === null) throw new Error(`the setting ${row.path} has no value and no fallback`);
    return value;
  };
  return {
    listen: read(table.listen),
    threads: read(table.threads),
    tls: pair(maybe(table.tlsCert), maybe(table.tlsKey), 'tls', problems),
    admin: {
      listen: read(table.adminListen),
      tls: pair(maybe(table.adminTlsCert), maybe(table.adminTlsKey), 'admin.tls', problems),
      token: maybe(table.adminToken),
    },
    agents: {
      listen: maybe(table.agentsListen),
      tls: pair(maybe(table.agentsTlsCert), maybe(table.agentsTlsKey), 'agents.tls', problems),
      heartbeatMs: read(table.agentsHeartbeat),
      timeoutMs: read(table.agentsTimeout),
    },
    dataDir: read(table.dataDir),
    insecure: read(table.insecure),
    auth: { clients: read(table.authClients), keys, trustedProxies: read(table.trustedProxies) },
    cors: { origins: read(table.corsOrigins) },
    discovery: { enabled: read(table.discoveryEnabled), file: maybe(table.discoveryFile), dns: [], nodes: [] },
    health: { intervalMs: read(table.healthInterval), timeoutMs: read(table.healthTimeout) },
    queue: {
      maxWaiters: read(table.maxWaiters),
      timeoutMs: read(table.queueTimeout),
      maxBytes: read(table.queueMaxBytes),
      maxShare: read(table.maxShare),
      reserved: read(table.reserved),
    },
    pool: {
      maxIdlePerNode: read(table.maxIdlePerNode),
      idleTimeoutMs: read(table.poolIdleTimeout),
      tcpKeepAliveMs: read(table.tcpKeepAlive),
    },
    selection: { policy: read(table.policy), cacheTtlMs: read(table.cacheTtl) },
    timeouts: {
      connectMs: read(table.connectTimeout),
      firstByteMs: read(table.firstByteTimeout),
      betweenBytesMs: read(table.betweenBytesTimeout),
      clientBodyMs: read(table.clientBodyTimeout),
      keepAliveMs: read(table.keepAlive),
      shutdownMs: read(table.shutdownTimeout),
    },
    streams: { resume: read(table.resumeStreams) },
    limits: { bodyBytes: read(table.bodyLimit) },
    history: { days: read(table.historyDays), maxRows: read(table.historyMaxRows) },
    catalogue: { url: read(table.catalogueUrl), cacheTtlMs: read(table.catalogueCacheTtl) },
    tasks: { maxPulls: read(table.maxPulls) },
    log: { level: read(table.logLevel) },
  };
}

function pair(cert: string | null, key: string | null, path: string, problems: Problems): ListenerTls | null {
  if (cert === null && key === null) return null;
  if (cert === null || key === null) {
    problems.add(path, null, `needs cert and key together; ${cert === null ? 'cert' : 'key'} is missing`);
    return null;
  }
  for (const [name, file] of [
    ['cert', cert],
    ['key', key],
  ] as const) {
    try {
      accessSync(file, constants.R_OK);
    } catch {
      problems.add(
        `${path}.${name}`,
        null,
        `"${file}" cannot be read; write the path of a PEM file that this user may read`,
      );
    }
  }
  return { cert, key };
}

/** The nodes of the file that `discovery.file` names. Whoever writes it may be slower than our start. */
async function foundNodes(
  { discovery: { file }, nodes }: Settings,
  { env, isRunning = false }: SettingsRequest,
  problems: Problems,
  warnings: string[],
): Promise<readonly NodeSettings[]> {
  if (file === null) return [];
  if (!isRunning && !existsSync(file)) {
    warnings.push(`discovery.file: there is no ${file} yet; its nodes are taken when it comes`);
    return [];
  }
  const drafts = (await readNodeFile(file, env, problems)) ?? [];
  const taken = nodes.map((node): NodeDraft => ({ ...node, where: 'nodes', origin: 'default', trail: 'nodes' }));
  return nameNodes([...taken, ...drafts], problems, []).slice(taken.length);
}

function configFileName({ configFile, env, cwd }: SettingsRequest): string | null {
  if (configFile !== null) return configFile;
  const named = env['WEIR_CONFIG'];
  if (named !== undefined && named !== '') return named;
  return ['weir.yaml', 'weir.yml'].find((name) => existsSync(join(cwd, name))) ?? null;
}

function nodeDrafts(
  request: SettingsRequest,
  fromFile: readonly NodeDraft[],
  problems: Problems,
): readonly NodeDraft[] {
  const drafts = [...fromFile];
  const variable = (request.env['WEIR_NODES'] ?? '').split(/[\s,]+/).filter((text) => text !== '');
  for (const text of variable)
    drafts.push(...[readNodeText(text, 'env:WEIR_NODES', problems)].filter((draft) => draft !== null));
  for (const text of request.nodes)
    drafts.push(...[readNodeText(text, 'flag', problems)].filter((draft) => draft !== null));
  return drafts;
}
