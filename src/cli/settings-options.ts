import { type Command, Option } from 'commander';
import type { SettingsRequest } from '../config/load-settings.ts';
import { flagName, rows, type Row } from '../config/table.ts';

// The options of commands that take the router's own settings, made from the table of settings.

interface SettingsHost {
  readonly env: SettingsRequest['env'];
  readonly cwd: string;
  readonly clock: { wall(): number };
}

const groups: Readonly<Record<string, string>> = {
  listen: 'Listening:',
  tls: 'Listening:',
  admin: 'Listening:',
  agents: 'Listening:',
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

/** Adds --config, --node and a flag for every setting that is no secret. */
export function addSettings(command: Command): void {
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

/** What was given of them. */
export function requestOf(options: Readonly<Record<string, unknown>>, host: SettingsHost): SettingsRequest {
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
    now: host.clock.wall(),
  };
}

/** As commander names the value of a flag. */
function camel(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
