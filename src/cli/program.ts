import { Command, CommanderError, Option } from 'commander';
import type { SettingsRequest } from '../config/load-settings.ts';
import { flagName, rows, variableName, type Row } from '../config/table.ts';
import { configCheck } from './config-check.ts';
import { serve, type ServeDeps } from './serve.ts';

// The command line: which words there are and what they call. Flags of settings are made from the table of settings.
// Exit codes: 0 done, 1 the thing asked for failed, 2 asked for wrongly.

export interface Process extends ServeDeps {
  readonly env: SettingsRequest['env'];
  readonly cwd: string;
  readonly wall: () => number;
}

const groups: Readonly<Record<string, string>> = {
  listen: 'Listening:',
  tls: 'Listening:',
  admin: 'Listening:',
  dataDir: 'Running:',
  insecure: 'Running:',
  log: 'Running:',
  auth: 'Who may call:',
  discovery: 'Nodes:',
  health: 'Nodes:',
  pool: 'Nodes:',
  providers: 'Cloud providers:',
  selection: 'Nodes:',
  queue: 'Waiting:',
  limits: 'Waiting:',
  timeouts: 'Time-outs:',
  history: 'Running:',
};

/** Runs one command line (without the program's name); resolves with the exit code. */
export async function run(argv: readonly string[], host: Process): Promise<number> {
  let code = 0;
  const program = new Command('weir')
    .description('One door in front of many inference nodes.')
    .version(host.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: host.stdout, writeErr: host.stderr })
    .addHelpText('after', PROGRAM_EXAMPLES);

  const serveCommand = program
    .command('serve')
    .description('run the router')
    .addHelpText('after', SERVE_EXAMPLES)
    .allowExcessArguments(false);
  addSettings(serveCommand);
  serveCommand.action(async (options: Readonly<Record<string, unknown>>) => {
    code = await serve(requestOf(options, host), host);
  });

  const config = program.command('config').description('look at the configuration');
  const check = config
    .command('check')
    .description('print every setting and where it came from, or what is wrong with them')
    .allowExcessArguments(false);
  addSettings(check);
  check.action(async (options: Readonly<Record<string, unknown>>) => {
    code = await configCheck(requestOf(options, host), host.stdout, host.stderr);
  });

  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    host.stderr(hintFor(argv));
    return 2;
  }
}

function addSettings(command: Command): void {
  command
    .helpOption('-h, --help', 'print this help')
    .addOption(
      new Option('-c, --config <file>', 'configuration file, YAML or JSON (WEIR_CONFIG)').helpGroup('Running:'),
    )
    .addOption(
      new Option('-n, --node <[name=]url>', 'a node to use; may be given several times (WEIR_NODES)')
        .helpGroup('Nodes:')
        .argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]),
    );
  for (const row of rows) if (row.secret !== true) command.addOption(optionOf(row));
}

function optionOf(row: Row<unknown>): Option {
  const name = `--${flagName(row.path)}`;
  const isBoolean = row.kind.name === 'boolean';
  const option = new Option(isBoolean ? `${name} [true|false]` : `${name} <${row.kind.name}>`, summary(row));
  return option.helpGroup(groups[row.path.split('.')[0] ?? ''] ?? 'Other:');
}

/** The first sentence, with the fallback. */
function summary({ doc, fallback }: Row<unknown>): string {
  const sentence = (doc.split(/(?<=[.;])\s/)[0] ?? doc).replace(/[.;]$/, '').replaceAll('`', '');
  const first = /^[A-Z]{2}/.test(sentence) ? sentence : sentence.slice(0, 1).toLowerCase() + sentence.slice(1);
  return fallback === null || fallback === '' ? first : `${first} (default: ${fallback})`;
}

function requestOf(options: Readonly<Record<string, unknown>>, host: Process): SettingsRequest {
  const flags = new Map<string, string>();
  for (const row of rows) {
    const value = options[camel(flagName(row.path))];
    if (typeof value === 'string') flags.set(row.path, value);
    else if (value === true) flags.set(row.path, 'true');
  }
  const { config, node } = options;
  return {
    configFile: typeof config === 'string' ? config : null,
    flags,
    nodes: Array.isArray(node) ? node.filter((text) => typeof text === 'string') : [],
    env: host.env,
    cwd: host.cwd,
    now: host.wall(),
  };
}

/** As commander names the value of a flag. */
function camel(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** What commander cannot know about a word it refused. */
function hintFor(argv: readonly string[]): string {
  const words = argv.map((word) => word.split('=')[0]);
  const secret = rows.find(({ path, secret: isSecret }) => isSecret === true && words.includes(`--${flagName(path)}`));
  if (secret) {
    const why = `${secret.path} has no flag, since other users of this machine can read command lines`;
    return `${why}; set ${variableName(secret.path)} instead.\n`;
  }
  const isSetting = ['--config', '-c', '--node', '-n', ...rows.map(({ path }) => `--${flagName(path)}`)].includes(
    words[0] ?? '',
  );
  return isSetting ? `Settings belong to a command: weir serve ${argv.join(' ')}\n` : '';
}

const PROGRAM_EXAMPLES = `
Examples:
  weir serve                                     find the engines on this machine and route to them
  weir serve --node http://10.0.0.5:8000         route to this node
  weir serve --config weir.yaml                  take everything from a file
  weir config check --config weir.yaml           see what a file means before using it
  weir serve --help                              every setting`;

const SERVE_EXAMPLES = `
Every setting can also stand in the file (queue.maxWaiters) or in a variable (WEIR_QUEUE_MAX_WAITERS).
A flag wins over a variable, a variable over the file. The admin token has no flag: set WEIR_ADMIN_TOKEN.

Examples:
  weir serve --node http://localhost:11434
  weir serve --node gpu-1=http://10.0.0.5:8000 --node gpu-2=http://10.0.0.6:8000
  weir serve --listen 0.0.0.0:9347 --auth-clients required
  weir serve --queue-max-waiters 200 --queue-timeout 10s`;
