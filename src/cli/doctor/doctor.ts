import type { Command } from 'commander';
import type { LoadedSettings } from '../../config/load-settings.ts';
import { createHttpClient, type HttpClient } from '../../http-client/http-client.ts';
import { type AnswerOf, createAdminClient } from '../admin/admin-client.ts';
import { type Connection, type ConnectionFlags, findConnection, settingsHere } from '../admin/connection.ts';
import { addConnection, connectionFlags, examples, type Host, Options } from '../commands/admin-command.ts';
import { exitCodes, Failure } from '../failure.ts';
import { buffering } from './buffering.ts';
import { type Finding, ok, problem, report, warning } from './finding.ts';
import { nodeFindings, reach, unroutedFindings } from './nodes.ts';
import { dataDirectory, openFiles, pidOf, port, proxyVariables } from './surroundings.ts';

// `weir doctor`: looks at what commonly goes wrong, before a first start as well as beside a running router, and says what to do. It changes
// nothing and goes on where one thing cannot be looked at. A router that was named with --admin may be elsewhere, so this machine's ports
// and directories are then not judged.

type Stats = AnswerOf<'GET /api/stats'>;
type Settings = LoadedSettings['settings'];

const NODES_AT_ONCE = 16;

export function addDoctorCommand(program: Command, host: Host): void {
  const doctor = program
    .command('doctor')
    .description('find what commonly goes wrong, and what to do about it')
    .option('--json', 'print the findings as JSON')
    .option('--through <url>', 'also ask for a stream there, as clients do, to see whether a proxy collects it')
    .option('--model <name>', 'the model to ask for with --through')
    .option('--key-from <variable>', "the variable that holds the client's key for --through")
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      examples(
        'weir doctor',
        'weir doctor --config weir.yaml',
        'weir doctor --through https://llm.example --model llama3',
      ),
    );
  addConnection(doctor);
  doctor.action(async () => {
    const options = new Options(doctor.opts<Record<string, unknown>>());
    const httpClient = createHttpClient({ maxIdlePerNode: 1, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, host.clock);
    try {
      const findings = await examine(options, host, httpClient);
      host.stdout(options.isSet('json') ? `${JSON.stringify({ data: findings }, null, 2)}\n` : report(findings));
      if (findings.some(({ verdict }) => verdict === 'problem')) throw new Failure(exitCodes.failed, '');
    } finally {
      httpClient.close();
    }
  });
}

async function examine(options: Options, host: Host, httpClient: HttpClient): Promise<readonly Finding[]> {
  const flags = connectionFlags(options);
  const { settings, findings } = await configuration(flags, host);
  const running = settings || flags.admin !== null ? await router(flags, host) : { findings: [], stats: null };
  const isHere = flags.admin === null;
  const slots = running.stats?.nodes.reduce((sum, node) => sum + node.slots, 0) ?? 0;
  const here = isHere && settings ? await thisMachine(settings, running.stats !== null, slots) : [];
  const isUnrouted = isHere && settings && !running.stats;
  const proxies = proxyVariables(host.env, settings?.listen ?? { host: '127.0.0.1', port: 9347 });
  return [
    ...findings,
    ...here,
    proxies,
    ...running.findings,
    ...(running.stats ? await nodesOf(running.stats, host, httpClient) : []),
    ...(isUnrouted ? await configuredNodes(settings, host, httpClient) : []),
    ...(await through(options, host, httpClient)),
  ];
}

async function configuration(
  flags: ConnectionFlags,
  host: Host,
): Promise<{ readonly settings: Settings | null; readonly findings: readonly Finding[] }> {
  const check = 'configuration';
  try {
    const { settings, file, warnings } = await settingsHere(flags, {
      env: host.env,
      cwd: host.cwd,
      now: host.clock.wall(),
    });
    const found = ok(check, file === null ? 'no file; variables and defaults' : file);
    return { settings, findings: [found, ...warnings.map((text) => warning(check, text, 'See: weir config check'))] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { settings: null, findings: [problem(check, error.message, 'See: weir config check')] };
  }
}

async function thisMachine(settings: Settings, isRunning: boolean, slots: number): Promise<readonly Finding[]> {
  const files = openFiles(settings.queue.maxWaiters, slots, isRunning ? pidOf(settings.dataDir) : null);
  const ports = isRunning
    ? []
    : [await port('listen', settings.listen), await port('admin.listen', settings.admin.listen)];
  return [dataDirectory(settings.dataDir), ...ports, ...(files ? [files] : [])];
}

/** Whether it answers, lets us in, and can serve. */
async function router(
  flags: ConnectionFlags,
  host: Host,
): Promise<{ readonly stats: Stats | null; readonly findings: readonly Finding[] }> {
  const check = 'router';
  let connection: Connection;
  try {
    connection = await findConnection(flags, { env: host.env, cwd: host.cwd, now: host.clock.wall() });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { stats: null, findings: [problem(check, error.message, 'Name it with --admin URL and WEIR_ADMIN_TOKEN.')] };
  }
  const client = createAdminClient(connection, host.clock);
  try {
    const stats = await client.call('GET /api/stats', {});
    return { stats, findings: [ok(check, `answers at ${connection.url}`), ...fleetOf(stats)] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const isAway = error.code === exitCodes.unreachable;
    const name = error.code === exitCodes.unauthorized ? 'admin token' : check;
    // Before a first start nobody answers, and that is as it should be.
    const found =
      isAway && flags.admin === null
        ? warning(name, `none runs here (${connection.url})`, 'Start it with: weir serve')
        : problem(name, error.message, 'See: weir doctor --help');
    return { stats: null, findings: [found] };
  } finally {
    client.close();
  }
}

function fleetOf({ nodes, gauges }: Stats): readonly Finding[] {
  const findings: Finding[] = [];
  if (gauges === null) {
    findings.push(problem('data plane', 'does not answer the control plane', 'It may be overloaded; look at its log.'));
  } else if (gauges.draining) {
    findings.push(warning('router', 'is stopping and takes no new requests', 'Wait for it to end, or start another.'));
  }
  if (nodes.length === 0) {
    findings.push(problem('nodes', 'there is none, so every request is answered 404', 'Add one: weir nodes add URL'));
  }
  return findings;
}

async function nodesOf({ nodes }: Stats, host: Host, httpClient: HttpClient): Promise<readonly Finding[]> {
  return await inGroups(nodes, async (node) =>
    nodeFindings(node, node.provider === null ? await reach(httpClient, host.clock, node.url) : null),
  );
}

async function configuredNodes({ nodes }: Settings, host: Host, httpClient: HttpClient): Promise<readonly Finding[]> {
  return await inGroups(nodes, async ({ name, url }) =>
    unroutedFindings(name, url, await reach(httpClient, host.clock, url)),
  );
}

/** A few at a time: a fleet may be large, and this machine's ports are not. */
async function inGroups<T>(
  all: readonly T[],
  findingsOf: (each: T) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (let from = 0; from < all.length; from += NODES_AT_ONCE) {
    const found = await Promise.all(all.slice(from, from + NODES_AT_ONCE).map((each) => findingsOf(each)));
    findings.push(...found.flat());
  }
  return findings;
}

async function through(options: Options, host: Host, httpClient: HttpClient): Promise<readonly Finding[]> {
  const url = options.text('through');
  if (url === null) return [];
  const model = options.text('model');
  const from = options.text('keyFrom');
  if (model === null) throw new Failure(exitCodes.usage, '--through needs --model NAME: a short answer is asked for.');
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new Failure(
      exitCodes.usage,
      `--through ${url}: write the address that clients use, such as https://llm.example`,
    );
  }
  const key = from === null ? null : (host.env[from] ?? null);
  return [await buffering(httpClient, host.clock, { url, model, key })];
}
